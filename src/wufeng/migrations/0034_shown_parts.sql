-- What a payment was shown to take of its payer's wallet: a quote's option is paid in these parts, or not at all.

alter table payment add column if not exists funding_wallet_minor bigint
    check (funding_wallet_minor between 0 and amount_minor);
comment on column payment.funding_wallet_minor is
    'the wallet''s part as a quote''s option showed it, the rest is drawn; null: as far as the wallet goes';
