"""Campaigns as the border shows them."""

from datetime import date

from wufeng.base.ids import Prefix, encode
from wufeng.payments.campaigns.model import CampaignView, Counted
from wufeng.payments.campaigns.rules import status_on


def view_campaign(counted: Counted, currency: str, on: date) -> CampaignView:
    """A campaign as its merchant and the platform read it on a business date."""
    campaign = counted.campaign
    return CampaignView(
        id=encode(Prefix.CAMPAIGN, campaign.id),
        created_at=campaign.created_at,
        merchant=encode(Prefix.MERCHANT, campaign.merchant_id),
        name=campaign.name,
        status=status_on(campaign, on),
        from_on=campaign.from_on,
        until_on=campaign.until_on,
        order_least_minor=campaign.order_least_minor,
        order_most_minor=campaign.order_most_minor,
        tenors=campaign.tenors,
        products=campaign.products,
        share_ppm=campaign.share_ppm,
        budget_minor=campaign.budget_minor,
        used_minor=counted.used_minor,
        currency=currency,
    )
