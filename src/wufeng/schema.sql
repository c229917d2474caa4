-- Today's whole schema, to be read. `wufeng migrate --write-schema` writes it from the migrations.

CREATE FUNCTION public.wufeng_check_reversal() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
declare
    original journal%rowtype;
begin
    select j.* into original from journal as j where j.bucket = new.bucket and j.seq = new.reverses;
    if not found or new.reverses >= new.seq then
        raise exception 'journal % of bucket % reverses %, which does not stand before it', new.seq, new.bucket, new.reverses
            using errcode = 'foreign_key_violation';
    end if;
    if original.reverses is not null
        or new.currency <> original.currency or new.guarded <> original.guarded
        or new.accounts <> original.accounts
        or new.amounts <> (select array_agg(-leg.amount order by leg.n)
                             from unnest(original.amounts) with ordinality as leg (amount, n)) then
        raise exception 'journal % of bucket % is not the opposite of %', new.seq, new.bucket, new.reverses
            using errcode = 'check_violation';
    end if;
    return new;
end
$$;

CREATE FUNCTION public.wufeng_refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception '% on % is refused: journals are never changed, only reversed', tg_op, tg_table_name
        using errcode = 'restrict_violation';
end
$$;

CREATE FUNCTION public.wufeng_sums_to_zero(amounts bigint[]) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
declare
    total  bigint := 0;
    amount bigint;
begin
    foreach amount in array amounts loop
        if amount = 0 then
            return false;
        end if;
        total := total + amount;
    end loop;
    return total is not distinct from 0;
end
$$;

CREATE TABLE public.account (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    kind smallint NOT NULL,
    owner uuid NOT NULL,
    currency text NOT NULL COLLATE pg_catalog."C",
    balance_minor bigint DEFAULT 0 NOT NULL,
    held_minor bigint DEFAULT 0 NOT NULL,
    min_minor bigint,
    max_minor bigint,
    CONSTRAINT account_ceiling CHECK (((balance_minor + held_minor) <= max_minor)),
    CONSTRAINT account_currency_check CHECK ((octet_length(currency) = 3)),
    CONSTRAINT account_floor CHECK ((balance_minor >= min_minor)),
    CONSTRAINT account_hold_not_negative CHECK ((held_minor >= 0))
)
WITH (fillfactor='50');

COMMENT ON TABLE public.account IS 'distributed by bucket: guarded accounts, their balances kept in the command''s transaction';

COMMENT ON COLUMN public.account.id IS 'the owner''s id with the kind''s number xor-ed into bits 64 to 75';

COMMENT ON COLUMN public.account.held_minor IS 'reserved for debits to come; counts against the ceiling';

CREATE TABLE public.account_kind (
    number smallint NOT NULL,
    name text NOT NULL,
    class text NOT NULL,
    owner text NOT NULL,
    upkeep text NOT NULL,
    CONSTRAINT account_kind_class_check CHECK ((class = ANY (ARRAY['asset'::text, 'liability'::text, 'income'::text, 'expense'::text, 'memo'::text]))),
    CONSTRAINT account_kind_owner_check CHECK ((owner = ANY (ARRAY['wallet'::text, 'line'::text, 'merchant'::text, 'lender'::text, 'book'::text]))),
    CONSTRAINT account_kind_upkeep_check CHECK ((upkeep = ANY (ARRAY['guarded'::text, 'folded'::text])))
);

COMMENT ON TABLE public.account_kind IS 'reference table: the chart of accounts, as in the code (ledger/model.py; a test compares them)';

CREATE TABLE public.api_key (
    id uuid NOT NULL,
    book smallint NOT NULL,
    kind text NOT NULL,
    owner_id uuid NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    last_used_on date,
    CONSTRAINT api_key_kind_check CHECK ((kind = ANY (ARRAY['platform'::text, 'merchant'::text])))
)
WITH (fillfactor='80');

COMMENT ON TABLE public.api_key IS 'reference table: several live keys an owner may have, so that they can be rotated';

COMMENT ON COLUMN public.api_key.owner_id IS 'the merchant, or the operator''s own id in the book: idempotency keys are scoped by it';

COMMENT ON COLUMN public.api_key.prefix IS 'the part that may be shown; the secret is kept as a hash only';

CREATE TABLE public.audit_entry (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    by_kind text NOT NULL,
    by_id uuid NOT NULL,
    credential_id uuid NOT NULL,
    operation text NOT NULL,
    object_prefix text NOT NULL,
    object_id uuid NOT NULL,
    reason text NOT NULL,
    request_id text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT audit_entry_by_kind_check CHECK ((by_kind = ANY (ARRAY['platform'::text, 'merchant'::text, 'person'::text, 'staff'::text])))
);

COMMENT ON TABLE public.audit_entry IS 'distributed by bucket (of the object): who did what to it, why and when; never changed';

COMMENT ON COLUMN public.audit_entry.credential_id IS 'the session or API key that was used';

CREATE TABLE public.bank_account (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    bank text NOT NULL,
    number bytea NOT NULL,
    number_name uuid NOT NULL,
    status text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT bank_account_status_check CHECK ((status = ANY (ARRAY['unverified'::text, 'verified'::text, 'refused'::text, 'deleted'::text])))
)
WITH (fillfactor='80');

COMMENT ON TABLE public.bank_account IS 'distributed by bucket: where a person''s money comes from and goes to';

COMMENT ON COLUMN public.bank_account.number IS 'sealed under the person''s key';

CREATE TABLE public.bank_instruction (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    direction text NOT NULL,
    status text DEFAULT 'new'::text NOT NULL,
    owner_id uuid NOT NULL,
    bank_account_id uuid,
    amount_minor bigint NOT NULL,
    currency text NOT NULL COLLATE pg_catalog."C",
    code text DEFAULT ''::text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    next_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT bank_instruction_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT bank_instruction_check CHECK (((status = ANY (ARRAY['done'::text, 'refused'::text])) = (ended_at IS NOT NULL))),
    CONSTRAINT bank_instruction_check1 CHECK (((status = 'refused'::text) = (code <> ''::text))),
    CONSTRAINT bank_instruction_check2 CHECK (((kind = 'settlement'::text) OR (bank_account_id IS NOT NULL))),
    CONSTRAINT bank_instruction_currency_check CHECK ((octet_length(currency) = 3)),
    CONSTRAINT bank_instruction_direction_check CHECK ((direction = ANY (ARRAY['debit'::text, 'credit'::text]))),
    CONSTRAINT bank_instruction_kind_check CHECK ((kind = ANY (ARRAY['top_up'::text, 'withdrawal'::text, 'repayment'::text, 'refund'::text, 'settlement'::text]))),
    CONSTRAINT bank_instruction_status_check CHECK ((status = ANY (ARRAY['new'::text, 'sent'::text, 'done'::text, 'refused'::text])))
)
WITH (fillfactor='70');

COMMENT ON TABLE public.bank_instruction IS 'distributed by bucket: what the bank is to do; a follower writes it, the bank runner sends it and asks until the bank knows';

COMMENT ON COLUMN public.bank_instruction.id IS 'the id of the top-up, withdrawal, repayment …: the bank''s idempotency key';

COMMENT ON COLUMN public.bank_instruction.owner_id IS 'the person or merchant whose money moves';

COMMENT ON COLUMN public.bank_instruction.bank_account_id IS 'null: the settlement account that the bank keeps for the merchant';

COMMENT ON COLUMN public.bank_instruction.tries IS 'claims so far: the token of a lease, so that a runner that was too slow records nothing';

COMMENT ON COLUMN public.bank_instruction.next_at IS 'when it is sent or asked about next, by the system''s clock; while it is, the end of the lease';

CREATE TABLE public.bill (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    line_id uuid NOT NULL,
    issued_on date NOT NULL,
    due_on date NOT NULL,
    accrued_on date NOT NULL,
    wake_on date,
    settled boolean NOT NULL,
    daily_ppm integer NOT NULL,
    status text NOT NULL,
    single_minor bigint NOT NULL,
    instalment_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    interest_minor bigint NOT NULL,
    late_interest_minor bigint NOT NULL,
    carried_minor bigint NOT NULL,
    missed_minor bigint NOT NULL,
    minimum_minor bigint NOT NULL,
    paid_principal_minor bigint NOT NULL,
    paid_fee_minor bigint NOT NULL,
    paid_interest_minor bigint NOT NULL,
    counted_minor bigint NOT NULL,
    interest_billed_minor bigint NOT NULL,
    segments json,
    interest_of json,
    item_draws uuid[] NOT NULL,
    item_parts smallint[] NOT NULL,
    item_tenors smallint[] NOT NULL,
    item_principal bigint[] NOT NULL,
    item_fee bigint[] NOT NULL,
    CONSTRAINT bill_dates CHECK ((issued_on < due_on)),
    CONSTRAINT bill_fee CHECK (((paid_fee_minor >= 0) AND (paid_fee_minor <= fee_minor))),
    CONSTRAINT bill_interest CHECK (((paid_interest_minor >= 0) AND (paid_interest_minor <= (interest_minor + late_interest_minor)))),
    CONSTRAINT bill_principal CHECK (((paid_principal_minor >= 0) AND (paid_principal_minor <= (single_minor + instalment_minor)))),
    CONSTRAINT bill_status_check CHECK ((status = ANY (ARRAY['open'::text, 'minimum_paid'::text, 'overdue'::text, 'paid'::text])))
)
WITH (fillfactor='70');

COMMENT ON TABLE public.bill IS 'distributed by bucket: what a line owes for one cycle; items are fixed when it is issued';

COMMENT ON COLUMN public.bill.wake_on IS 'the date on which the day close looks at it: the due date, then the day after';

COMMENT ON COLUMN public.bill.settled IS 'nothing is owed on it and all interest it has earned is billed';

COMMENT ON COLUMN public.bill.segments IS 'stretches of interest that are over: [since_on, until_on, balance_minor, daily_ppm]';

COMMENT ON COLUMN public.bill.interest_of IS 'where interest_minor comes from: [bill, amount_minor]';

CREATE TABLE public.book (
    id smallint NOT NULL,
    name text NOT NULL,
    mode text NOT NULL,
    currency text NOT NULL,
    time_zone text NOT NULL,
    cut_off time without time zone NOT NULL,
    clock_offset_us bigint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT book_check CHECK (((clock_offset_us = 0) OR (mode = 'test'::text))),
    CONSTRAINT book_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT book_mode_check CHECK ((mode = ANY (ARRAY['test'::text, 'live'::text])))
);

COMMENT ON TABLE public.book IS 'reference table: accounts sharing a calendar and a clock';

COMMENT ON COLUMN public.book.clock_offset_us IS 'microseconds that the clock of a test book is ahead of the system clock';

CREATE TABLE public.checkout_session (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    order_id uuid NOT NULL,
    return_url text NOT NULL,
    tenors smallint[] NOT NULL,
    merchant_fee_share_ppm integer NOT NULL,
    expired_at timestamp with time zone,
    expires_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT checkout_session_merchant_fee_share_ppm_check CHECK (((merchant_fee_share_ppm >= 0) AND (merchant_fee_share_ppm <= 1000000)))
);

COMMENT ON TABLE public.checkout_session IS 'distributed by bucket (of its order): the hosted page of one order';

CREATE TABLE public.close_run (
    bucket smallint NOT NULL,
    business_on date NOT NULL,
    step text NOT NULL,
    row_count bigint NOT NULL,
    at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.close_run IS 'distributed by bucket: what the close of a business date has done, a row a finished step';

COMMENT ON COLUMN public.close_run.business_on IS 'the business date that was closed';

CREATE TABLE public.cursor (
    bucket smallint NOT NULL,
    follower text NOT NULL,
    seq bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='50');

COMMENT ON TABLE public.cursor IS 'distributed by bucket: how far a follower has come';

CREATE TABLE public.decision (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    payment_id uuid NOT NULL,
    payer_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    outcome text NOT NULL,
    reasons text NOT NULL,
    rules text NOT NULL,
    policy text NOT NULL,
    product text,
    confirmation smallint NOT NULL,
    features bytea NOT NULL,
    CONSTRAINT decision_check CHECK (((outcome = 'allow'::text) = (reasons = ''::text))),
    CONSTRAINT decision_outcome_check CHECK ((outcome = ANY (ARRAY['allow'::text, 'step_up'::text, 'review'::text, 'decline'::text])))
);

COMMENT ON TABLE public.decision IS 'distributed by bucket: approved or declined, every payment has one; never changed';

CREATE TABLE public.delivery (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    event_seq bigint NOT NULL,
    event_index smallint NOT NULL,
    type text NOT NULL,
    object_id uuid NOT NULL,
    status text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    sendings integer DEFAULT 0 NOT NULL,
    round_began_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT delivery_check CHECK (((status = 'waiting'::text) = (ended_at IS NULL))),
    CONSTRAINT delivery_status_check CHECK ((status = ANY (ARRAY['waiting'::text, 'delivered'::text, 'dead'::text])))
);

COMMENT ON TABLE public.delivery IS 'distributed by bucket: one event on its way to one endpoint';

COMMENT ON COLUMN public.delivery.attempts IS 'sendings in this round; a resend begins a new one';

COMMENT ON COLUMN public.delivery.sendings IS 'sendings ever: the token of a lease, so that a sender that was too slow records nothing';

COMMENT ON COLUMN public.delivery.due_at IS 'when it is sent next; while it is being sent, the end of the lease';

CREATE TABLE public.delivery_attempt (
    bucket smallint NOT NULL,
    delivery_id uuid NOT NULL,
    number integer NOT NULL,
    at timestamp with time zone NOT NULL,
    took_ms integer NOT NULL,
    response_status integer,
    failure text
);

COMMENT ON TABLE public.delivery_attempt IS 'distributed by bucket: the log of sendings';

CREATE TABLE public.draw (
    bucket smallint NOT NULL,
    tenor smallint NOT NULL,
    billed_parts smallint DEFAULT 0 NOT NULL,
    id uuid NOT NULL,
    line_id uuid NOT NULL,
    payment_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    unbilled_minor bigint NOT NULL,
    prepaid_minor bigint DEFAULT 0 NOT NULL,
    product_version integer NOT NULL,
    merchant_share_ppm integer DEFAULT 0 NOT NULL,
    posted_on date,
    billable_on date,
    status text NOT NULL,
    lenders uuid[] NOT NULL,
    shares_ppm integer[] NOT NULL,
    principal_parts bigint[] NOT NULL,
    fee_parts bigint[],
    subsidy_parts bigint[],
    bills uuid[],
    CONSTRAINT draw_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT draw_posted CHECK (((status = 'posted'::text) = (posted_on IS NOT NULL))),
    CONSTRAINT draw_prepaid_minor_check CHECK ((prepaid_minor >= 0)),
    CONSTRAINT draw_status_check CHECK ((status = ANY (ARRAY['held'::text, 'posted'::text, 'voided'::text]))),
    CONSTRAINT draw_tenor_check CHECK ((tenor >= 1)),
    CONSTRAINT draw_unbilled CHECK (((status = 'posted'::text) OR (unbilled_minor = 0))),
    CONSTRAINT draw_unbilled_minor_check CHECK ((unbilled_minor >= 0))
)
WITH (fillfactor='85');

COMMENT ON TABLE public.draw IS 'distributed by bucket: one use of a line; its plan is arrays until bills take the parts';

COMMENT ON COLUMN public.draw.id IS 'the payment''s id with the capture''s number + 1 xor-ed into bits 64 to 75: found without an index';

COMMENT ON COLUMN public.draw.billable_on IS 'from this date on a bill may take it; null: waits for the receipt';

COMMENT ON COLUMN public.draw.principal_parts IS 'one element an instalment, as it stands: refunds lower it from the last backwards';

CREATE TABLE public.event (
    bucket smallint NOT NULL,
    seq bigint NOT NULL,
    kind text NOT NULL,
    object_id uuid NOT NULL,
    person_id uuid,
    merchant_id uuid,
    at timestamp with time zone NOT NULL,
    business_on date NOT NULL,
    data bytea NOT NULL
);

COMMENT ON TABLE public.event IS 'distributed by bucket: facts in the past tense, numbered under the head''s lock';

COMMENT ON COLUMN public.event.data IS 'the object as the API shows it, JSON in UTF-8, as it was at that moment';

CREATE TABLE public.feature (
    bucket smallint NOT NULL,
    person_id uuid NOT NULL,
    packed bytea NOT NULL
)
WITH (fillfactor='60');

COMMENT ON TABLE public.feature IS 'distributed by bucket: a payer''s features, packed; rewritten in place by each payment';

CREATE TABLE public.folded_account (
    id uuid NOT NULL,
    kind smallint NOT NULL,
    owner uuid NOT NULL,
    currency text NOT NULL COLLATE pg_catalog."C",
    book smallint NOT NULL,
    CONSTRAINT folded_account_currency_check CHECK ((octet_length(currency) = 3))
);

COMMENT ON TABLE public.folded_account IS 'reference table: accounts whose balances a follower folds from journals, a stripe a bucket';

CREATE TABLE public.folded_balance (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    balance_minor bigint NOT NULL
)
WITH (fillfactor='50');

COMMENT ON TABLE public.folded_balance IS 'distributed by bucket: the stripes of folded accounts, up to the cursor of the follower "fold"';

CREATE TABLE public.journal (
    bucket smallint NOT NULL,
    kind smallint NOT NULL,
    business_on date NOT NULL,
    seq bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    reverses bigint,
    of uuid NOT NULL,
    guarded smallint NOT NULL,
    currency text NOT NULL COLLATE pg_catalog."C",
    accounts uuid[] NOT NULL,
    amounts bigint[] NOT NULL,
    note json NOT NULL,
    CONSTRAINT journal_balances CHECK (public.wufeng_sums_to_zero(amounts)),
    CONSTRAINT journal_currency_check CHECK ((octet_length(currency) = 3)),
    CONSTRAINT journal_legs CHECK ((((cardinality(amounts) >= 2) AND (cardinality(amounts) <= 1000)) AND (cardinality(accounts) = cardinality(amounts)) AND (array_ndims(amounts) = 1) AND (array_ndims(accounts) = 1) AND (array_lower(amounts, 1) = 1) AND (array_lower(accounts, 1) = 1) AND (array_position(accounts, NULL::uuid) IS NULL) AND ((guarded >= 0) AND (guarded <= cardinality(amounts))))),
    CONSTRAINT journal_reversal CHECK (((kind = 90) = (reverses IS NOT NULL)))
);

COMMENT ON TABLE public.journal IS 'distributed by bucket: balanced sets of legs in one currency, never changed; seq is given under the head''s lock and shared with events';

COMMENT ON COLUMN public.journal.of IS 'the payment, refund, bill, repayment that it belongs to';

COMMENT ON COLUMN public.journal.guarded IS 'how many of the first legs are on guarded accounts';

COMMENT ON COLUMN public.journal.note IS 'for who reads it later: person, line, product version; kept byte for byte, hence json';

CREATE VIEW public.folded_leg AS
 SELECT journal.bucket,
    journal.seq,
    journal.business_on,
    journal.kind AS journal_kind,
    journal.reverses,
    journal.currency,
    account.kind AS account_kind,
    account.owner,
    leg.amount_minor
   FROM ((public.journal
     CROSS JOIN LATERAL UNNEST(journal.accounts[(journal.guarded + 1):], journal.amounts[(journal.guarded + 1):]) leg(account_id, amount_minor))
     JOIN public.folded_account account ON ((account.id = leg.account_id)));

COMMENT ON VIEW public.folded_leg IS 'a row a leg on a folded account, with the account''s kind and owner; debit-positive';

CREATE TABLE public.head (
    bucket smallint NOT NULL,
    book smallint NOT NULL,
    seq bigint DEFAULT 0 NOT NULL,
    booked_at timestamp with time zone NOT NULL,
    closed_through date
)
WITH (fillfactor='20');

COMMENT ON TABLE public.head IS 'distributed by bucket: the last row a batch locks; numbers its events and journals';

COMMENT ON COLUMN public.head.closed_through IS 'the last business date that is closed; nothing is booked on it or before it any more';

CREATE TABLE public.hold (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    of uuid NOT NULL,
    amount_minor bigint NOT NULL,
    posted_minor bigint DEFAULT 0 NOT NULL,
    status text DEFAULT 'held'::text NOT NULL,
    CONSTRAINT hold_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT hold_posted_whole CHECK (((status = 'posted'::text) = (posted_minor = amount_minor))),
    CONSTRAINT hold_posted_within CHECK (((posted_minor >= 0) AND (posted_minor <= amount_minor))),
    CONSTRAINT hold_status_check CHECK ((status = ANY (ARRAY['held'::text, 'posted'::text, 'voided'::text])))
)
WITH (fillfactor='70');

COMMENT ON TABLE public.hold IS 'distributed by bucket: reserved debits of guarded accounts; what is not posted stays held until voided';

CREATE TABLE public.journal_kind (
    number smallint NOT NULL,
    name text NOT NULL
);

COMMENT ON TABLE public.journal_kind IS 'reference table: what journals record, as in the code (ledger/model.py; a test compares them)';

CREATE TABLE public.key_claim (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    digest bytea NOT NULL,
    status smallint,
    answer bytea,
    object_id uuid,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT key_claim_check CHECK (((status IS NULL) = (answer IS NULL)))
)
WITH (fillfactor='60');

COMMENT ON TABLE public.key_claim IS 'distributed by bucket (of the claim''s own hash): one key means one request';

COMMENT ON COLUMN public.key_claim.id IS 'hash of the caller and the Idempotency-Key';

COMMENT ON COLUMN public.key_claim.digest IS 'keyed digests of the request and of each of its fields, never the request itself';

CREATE VIEW public.leg AS
 SELECT j.bucket,
    j.seq,
    j.at,
    j.business_on,
    kind.name AS journal_kind,
    j.of,
    j.reverses,
    (l."position")::integer AS "position",
    l.account_id,
    (l."position" <= j.guarded) AS guarded,
    j.currency,
    l.amount_minor,
    j.note
   FROM ((public.journal j
     JOIN public.journal_kind kind ON ((kind.number = j.kind)))
     CROSS JOIN LATERAL UNNEST(j.accounts, j.amounts) WITH ORDINALITY l(account_id, amount_minor, "position"));

COMMENT ON VIEW public.leg IS 'a row a leg: journals unfolded, for people and reports';

CREATE TABLE public.lender (
    id uuid NOT NULL,
    book smallint NOT NULL,
    code text NOT NULL,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    created_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.lender IS 'reference table: who funds draws';

CREATE TABLE public.line (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    limit_minor bigint NOT NULL,
    product_version integer NOT NULL,
    opened_on date NOT NULL,
    touched_on date,
    next_bill_on date,
    past_due_since date,
    suspend_on date,
    debited_on date,
    bill_day smallint NOT NULL,
    due_day smallint NOT NULL,
    currency text NOT NULL COLLATE pg_catalog."C",
    product text NOT NULL,
    status text NOT NULL,
    lenders uuid[] NOT NULL,
    shares_ppm integer[] NOT NULL,
    auto_debit text[],
    CONSTRAINT line_bill_day_check CHECK (((bill_day >= 1) AND (bill_day <= 31))),
    CONSTRAINT line_currency_check CHECK ((octet_length(currency) = 3)),
    CONSTRAINT line_due_day_check CHECK (((due_day >= 1) AND (due_day <= 31))),
    CONSTRAINT line_has_lenders CHECK (((cardinality(lenders) > 0) AND (cardinality(lenders) = cardinality(shares_ppm)))),
    CONSTRAINT line_limit_minor_check CHECK ((limit_minor >= 0)),
    CONSTRAINT line_status_check CHECK ((status = ANY (ARRAY['open'::text, 'frozen'::text, 'suspended'::text, 'closing'::text, 'closed'::text])))
)
WITH (fillfactor='80');

COMMENT ON TABLE public.line IS 'distributed by bucket: a person''s credit under one product; its balances are ledger accounts';

COMMENT ON COLUMN public.line.touched_on IS 'the value date of the last bill, repayment or refund: no later one may be dated before it';

COMMENT ON COLUMN public.line.next_bill_on IS 'the next bill that will have something on it; null: the day close need not look';

COMMENT ON COLUMN public.line.debited_on IS 'the last date on which the day close has tried to';

COMMENT ON COLUMN public.line.auto_debit IS 'ids of the wallet and bank accounts that bills are debited from, in the person''s order';

CREATE TABLE public.line_change (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    line_id uuid NOT NULL,
    kind text NOT NULL,
    actor text NOT NULL,
    actor_id uuid,
    reason text NOT NULL,
    limit_minor bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT line_change_actor_check CHECK ((actor = ANY (ARRAY['person'::text, 'staff'::text, 'system'::text]))),
    CONSTRAINT line_change_kind_check CHECK ((kind = ANY (ARRAY['opened'::text, 'limit_set'::text, 'frozen'::text, 'unfrozen'::text, 'suspended'::text, 'restored'::text, 'due_day_set'::text, 'auto_debit_set'::text, 'closing'::text, 'closed'::text])))
);

COMMENT ON TABLE public.line_change IS 'distributed by bucket: the history of lines, who changed what and why';

CREATE TABLE public.merchant (
    id uuid NOT NULL,
    book smallint NOT NULL,
    name text NOT NULL,
    scene text NOT NULL,
    fee_rate_ppm integer NOT NULL,
    status text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    CONSTRAINT merchant_check CHECK (((status = 'closed'::text) = (closed_at IS NOT NULL))),
    CONSTRAINT merchant_fee_rate_ppm_check CHECK (((fee_rate_ppm >= 0) AND (fee_rate_ppm <= 1000000))),
    CONSTRAINT merchant_status_check CHECK ((status = ANY (ARRAY['active'::text, 'closed'::text])))
);

COMMENT ON TABLE public.merchant IS 'reference table: who sells';

COMMENT ON COLUMN public.merchant.fee_rate_ppm IS 'millionths of a payment that the merchant pays';

CREATE TABLE public.merchant_order (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    book smallint NOT NULL,
    merchant_id uuid NOT NULL,
    order_no text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    subject text NOT NULL,
    scene text NOT NULL,
    receipt text NOT NULL,
    metadata bytea,
    state text NOT NULL,
    payment_id uuid,
    payer_id uuid,
    expires_at timestamp with time zone,
    paid_at timestamp with time zone,
    shipped_at timestamp with time zone,
    receipt_confirmed_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT merchant_order_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT merchant_order_check CHECK (((state <> ALL (ARRAY['paid'::text, 'shipped'::text, 'receipt_confirmed'::text])) OR (payment_id IS NOT NULL))),
    CONSTRAINT merchant_order_order_no_check CHECK (((length(order_no) >= 1) AND (length(order_no) <= 64))),
    CONSTRAINT merchant_order_receipt_check CHECK ((receipt = ANY (ARRAY['none'::text, 'confirm'::text]))),
    CONSTRAINT merchant_order_state_check CHECK ((state = ANY (ARRAY['open'::text, 'paid'::text, 'shipped'::text, 'receipt_confirmed'::text, 'closed'::text, 'expired'::text])))
)
WITH (fillfactor='80');

COMMENT ON TABLE public.merchant_order IS 'distributed by bucket (of the order''s own hash): what is to be paid; its terms never change';

COMMENT ON COLUMN public.merchant_order.id IS 'hash of merchant and order number: the number names one order for ever';

COMMENT ON COLUMN public.merchant_order.payment_id IS 'the one payment that is authorised, pending or captured; null: free';

CREATE TABLE public.message (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    number bigint NOT NULL,
    phone_name uuid NOT NULL,
    purpose text NOT NULL,
    code text NOT NULL,
    text text NOT NULL,
    created_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.message IS 'distributed by bucket (of the phone''s hash): what a test book would have sent by SMS; empty in live books';

COMMENT ON COLUMN public.message.number IS 'order of writing: ids of one millisecond have none';

ALTER TABLE public.message ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.message_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.migration (
    number smallint NOT NULL,
    name text NOT NULL,
    digest text NOT NULL,
    applied_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.migration IS 'reference table: the migrations that made this schema, each with the digest of its file';

CREATE TABLE public.name_claim (
    bucket smallint NOT NULL,
    kind text NOT NULL,
    id uuid NOT NULL,
    object_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.name_claim IS 'distributed by bucket (of the claim''s own hash): names that are unique in a book';

CREATE TABLE public.one_time_code (
    bucket smallint NOT NULL,
    phone_name uuid NOT NULL,
    purpose text NOT NULL,
    code_hash bytea NOT NULL,
    tries smallint DEFAULT 0 NOT NULL,
    sends smallint NOT NULL,
    window_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT one_time_code_purpose_check CHECK ((purpose = ANY (ARRAY['sign_in'::text, 'pin'::text]))),
    CONSTRAINT one_time_code_sends_check CHECK (((sends >= 1) AND (sends <= 5))),
    CONSTRAINT one_time_code_tries_check CHECK (((tries >= 0) AND (tries <= 5)))
)
WITH (fillfactor='70');

COMMENT ON TABLE public.one_time_code IS 'distributed by bucket (of the phone''s hash): the last code sent, for known and unknown phones alike';

COMMENT ON COLUMN public.one_time_code.window_at IS 'when the hour began in which sends are counted';

CREATE TABLE public.payment (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    payer_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    order_id uuid NOT NULL,
    order_no text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    scene text NOT NULL,
    subject text NOT NULL,
    receipt text NOT NULL,
    inline_order boolean NOT NULL,
    status text NOT NULL,
    capture text NOT NULL,
    use_wallet boolean NOT NULL,
    line_id uuid,
    tenor smallint NOT NULL,
    merchant_share_ppm integer DEFAULT 0 NOT NULL,
    wallet_minor bigint DEFAULT 0 NOT NULL,
    credit_minor bigint DEFAULT 0 NOT NULL,
    captured_minor bigint DEFAULT 0 NOT NULL,
    fee_minor bigint DEFAULT 0 NOT NULL,
    refunded_minor bigint DEFAULT 0 NOT NULL,
    wallet_refunded_minor bigint DEFAULT 0 NOT NULL,
    wallet_hold_id uuid,
    line_hold_id uuid,
    decision_id uuid,
    reasons text DEFAULT ''::text NOT NULL,
    caller_id uuid NOT NULL,
    confirmed_by text,
    expires_at timestamp with time zone,
    captured_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT payment_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT payment_capture_check CHECK ((capture = ANY (ARRAY['now'::text, 'later'::text]))),
    CONSTRAINT payment_check CHECK (((captured_minor >= 0) AND (captured_minor <= amount_minor))),
    CONSTRAINT payment_check1 CHECK (((refunded_minor >= 0) AND (refunded_minor <= captured_minor))),
    CONSTRAINT payment_check2 CHECK (((status <> ALL (ARRAY['authorised'::text, 'captured'::text])) OR (decision_id IS NOT NULL))),
    CONSTRAINT payment_credit_minor_check CHECK ((credit_minor >= 0)),
    CONSTRAINT payment_status_check CHECK ((status = ANY (ARRAY['requires_action'::text, 'pending'::text, 'authorised'::text, 'captured'::text, 'declined'::text, 'voided'::text, 'expired'::text, 'failed'::text]))),
    CONSTRAINT payment_wallet_minor_check CHECK ((wallet_minor >= 0))
)
WITH (fillfactor='85');

COMMENT ON TABLE public.payment IS 'distributed by bucket: one attempt to pay an order';

COMMENT ON COLUMN public.payment.fee_minor IS 'the merchant''s fee on what is captured, refunds not taken off';

CREATE TABLE public.payment_pin (
    bucket smallint NOT NULL,
    person_id uuid NOT NULL,
    hash text NOT NULL,
    tries smallint DEFAULT 0 NOT NULL,
    tried_at timestamp with time zone,
    set_at timestamp with time zone NOT NULL,
    CONSTRAINT payment_pin_tries_check CHECK (((tries >= 0) AND (tries <= 5)))
)
WITH (fillfactor='70');

COMMENT ON TABLE public.payment_pin IS 'distributed by bucket: argon2id over a peppered PIN; a try is taken before it is verified';

CREATE TABLE public.person (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    wallet_id uuid NOT NULL,
    status text NOT NULL,
    tier smallint NOT NULL,
    outcome text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT person_outcome_check CHECK ((outcome = ANY (ARRAY['none'::text, 'always_declined'::text, 'step_up'::text, 'review'::text, 'late_payer'::text]))),
    CONSTRAINT person_status_check CHECK ((status = ANY (ARRAY['active'::text, 'frozen'::text, 'erased'::text]))),
    CONSTRAINT person_tier_check CHECK (((tier >= 1) AND (tier <= 3)))
)
WITH (fillfactor='80');

COMMENT ON TABLE public.person IS 'distributed by bucket: the row that every money command locks; narrow, since each lock dirties its page';

COMMENT ON COLUMN public.person.outcome IS 'how a test person behaves; always none in a live book';

CREATE TABLE public.personal_data (
    bucket smallint NOT NULL,
    person_id uuid NOT NULL,
    sealed_key bytea NOT NULL,
    phone_name uuid NOT NULL,
    phone bytea NOT NULL,
    external_id bytea,
    name bytea,
    document bytea
);

COMMENT ON TABLE public.personal_data IS 'distributed by bucket: sealed under the person''s own key; erasure deletes the row, and with it the key';

COMMENT ON COLUMN public.personal_data.sealed_key IS 'the person''s key, sealed by the master key, which is not in the database';

COMMENT ON COLUMN public.personal_data.phone_name IS 'keyed hash of the phone: names its claim and its one-time codes';

CREATE TABLE public.policy (
    id text NOT NULL,
    version integer NOT NULL,
    effective_from timestamp with time zone NOT NULL,
    content_hash text NOT NULL,
    source text NOT NULL,
    created_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.policy IS 'reference table: every version of every policy that was ever in force; decisions name theirs';

COMMENT ON COLUMN public.policy.source IS 'the TOML file, byte for byte';

CREATE TABLE public.product (
    id text NOT NULL,
    version integer NOT NULL,
    effective_from date NOT NULL,
    content_hash text NOT NULL,
    source text NOT NULL,
    created_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.product IS 'reference table: every version of every product that was ever loaded; old draws live by theirs';

COMMENT ON COLUMN public.product.source IS 'the TOML file, byte for byte';

CREATE TABLE public.quote (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    payer_id uuid,
    merchant_id uuid NOT NULL,
    order_id uuid,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    scene text NOT NULL,
    body bytea NOT NULL,
    options bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT quote_amount_minor_check CHECK ((amount_minor > 0))
);

COMMENT ON TABLE public.quote IS 'distributed by bucket: the priced ways to pay, as shown';

COMMENT ON COLUMN public.quote.body IS 'the sheet as it was shown (JSON)';

COMMENT ON COLUMN public.quote.options IS 'what each option means for a payment: funding and product (JSON)';

CREATE TABLE public.refund (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    payment_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    payer_id uuid NOT NULL,
    refund_no text NOT NULL,
    amount_minor bigint NOT NULL,
    wallet_minor bigint NOT NULL,
    fee_returned_minor bigint NOT NULL,
    currency text NOT NULL,
    reason text NOT NULL,
    status text NOT NULL,
    effects bytea NOT NULL,
    returns bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    posted_at timestamp with time zone,
    CONSTRAINT refund_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT refund_check CHECK ((wallet_minor <= amount_minor)),
    CONSTRAINT refund_check1 CHECK (((status = 'posted'::text) = (posted_at IS NOT NULL))),
    CONSTRAINT refund_fee_returned_minor_check CHECK ((fee_returned_minor >= 0)),
    CONSTRAINT refund_refund_no_check CHECK (((length(refund_no) >= 1) AND (length(refund_no) <= 64))),
    CONSTRAINT refund_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'posted'::text, 'failed'::text]))),
    CONSTRAINT refund_wallet_minor_check CHECK ((wallet_minor >= 0))
);

COMMENT ON TABLE public.refund IS 'distributed by bucket: money given back after capture';

COMMENT ON COLUMN public.refund.effects IS 'what it did, as the API shows it (JSON)';

COMMENT ON COLUMN public.refund.returns IS 'what went to banks, and what they said (JSON)';

CREATE TABLE public.repayment (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    line_id uuid NOT NULL,
    person_id uuid NOT NULL,
    source_id uuid,
    source text NOT NULL,
    status text NOT NULL,
    amount_minor bigint NOT NULL,
    principal_minor bigint DEFAULT 0 NOT NULL,
    returned_minor bigint DEFAULT 0 NOT NULL,
    value_on date NOT NULL,
    posted_on date,
    plan uuid,
    allocation json,
    reason text,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT repayment_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT repayment_posted CHECK (((status = ANY (ARRAY['posted'::text, 'reversed'::text])) = (posted_on IS NOT NULL))),
    CONSTRAINT repayment_returned CHECK (((returned_minor >= 0) AND (returned_minor <= principal_minor))),
    CONSTRAINT repayment_source CHECK (((source = 'external'::text) = (source_id IS NULL))),
    CONSTRAINT repayment_source_check CHECK ((source = ANY (ARRAY['wallet'::text, 'bank_account'::text, 'external'::text]))),
    CONSTRAINT repayment_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'posted'::text, 'failed'::text, 'reversed'::text])))
)
WITH (fillfactor='85');

COMMENT ON TABLE public.repayment IS 'distributed by bucket: money in, and what it paid';

COMMENT ON COLUMN public.repayment.returned_minor IS 'principal that refunds have given back to its source';

COMMENT ON COLUMN public.repayment.value_on IS 'the date it counts from: interest ends there, whenever the bank answered';

COMMENT ON COLUMN public.repayment.reason IS 'why it failed or was reversed';

CREATE TABLE public.risk_list_member (
    list text NOT NULL,
    member_id uuid NOT NULL,
    reason text NOT NULL,
    added_at timestamp with time zone NOT NULL,
    added_by uuid
);

COMMENT ON TABLE public.risk_list_member IS 'reference table: people and merchants that policies name by list';

CREATE TABLE public.session (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    device text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    pin_at timestamp with time zone,
    revoked_at timestamp with time zone
);

COMMENT ON TABLE public.session IS 'distributed by bucket: a signed-in device; the id carries the person''s slot';

COMMENT ON COLUMN public.session.pin_at IS 'when the person last proved the PIN in this session or the one it was rotated from';

CREATE TABLE public.settlement (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    business_on date NOT NULL,
    status text NOT NULL,
    currency text NOT NULL COLLATE pg_catalog."C",
    payments integer NOT NULL,
    refunds integer NOT NULL,
    gross_minor bigint NOT NULL,
    refunded_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    subsidy_minor bigint NOT NULL,
    returned_minor bigint NOT NULL,
    net_minor bigint NOT NULL,
    carried_minor bigint NOT NULL,
    payout_minor bigint NOT NULL,
    failure text,
    paid_on date,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT settlement_adds_up CHECK ((net_minor = ((((gross_minor - refunded_minor) - fee_minor) - subsidy_minor) + returned_minor))),
    CONSTRAINT settlement_carried_minor_check CHECK ((carried_minor <= 0)),
    CONSTRAINT settlement_check CHECK (((status = 'carried'::text) = (payout_minor = 0))),
    CONSTRAINT settlement_check1 CHECK (((status = 'paid'::text) = (paid_on IS NOT NULL))),
    CONSTRAINT settlement_check2 CHECK (((status = 'failed'::text) = (failure IS NOT NULL))),
    CONSTRAINT settlement_currency_check CHECK ((octet_length(currency) = 3)),
    CONSTRAINT settlement_payout_minor_check CHECK ((payout_minor >= 0)),
    CONSTRAINT settlement_pays_all CHECK ((payout_minor = GREATEST((0)::bigint, (net_minor + carried_minor)))),
    CONSTRAINT settlement_status_check CHECK ((status = ANY (ARRAY['carried'::text, 'pending'::text, 'paid'::text, 'failed'::text])))
)
WITH (fillfactor='85');

COMMENT ON TABLE public.settlement IS 'distributed by bucket (of the merchant): what a merchant is due for a business date, over all buckets of the book';

COMMENT ON COLUMN public.settlement.returned_minor IS 'earlier payouts that the bank could not pay: due again';

COMMENT ON COLUMN public.settlement.carried_minor IS 'what stood against the merchant from the settlement before';

CREATE TABLE public.settlement_drawn (
    bucket smallint NOT NULL,
    through date,
    from_seq bigint NOT NULL
)
WITH (fillfactor='50');

COMMENT ON TABLE public.settlement_drawn IS 'distributed by bucket: through which business date its parts have been drawn up';

COMMENT ON COLUMN public.settlement_drawn.from_seq IS 'no journal of a later date has a number below it: where the next day''s reading begins';

CREATE TABLE public.settlement_part (
    bucket smallint NOT NULL,
    merchant_id uuid NOT NULL,
    business_on date NOT NULL,
    slot integer NOT NULL,
    currency text NOT NULL COLLATE pg_catalog."C",
    payments integer NOT NULL,
    refunds integer NOT NULL,
    gross_minor bigint NOT NULL,
    refunded_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    subsidy_minor bigint NOT NULL,
    returned_minor bigint NOT NULL,
    net_minor bigint NOT NULL,
    CONSTRAINT settlement_part_adds_up CHECK ((net_minor = ((((gross_minor - refunded_minor) - fee_minor) - subsidy_minor) + returned_minor))),
    CONSTRAINT settlement_part_currency_check CHECK ((octet_length(currency) = 3)),
    CONSTRAINT settlement_part_slot_check CHECK (((slot >= 0) AND (slot <= 65535)))
);

COMMENT ON TABLE public.settlement_part IS 'distributed by bucket (of the payers): what the journals of one closed business date in one bucket come to for a merchant';

COMMENT ON COLUMN public.settlement_part.slot IS 'of the merchant''s id: says in which bucket the merchant''s settlement lives';

CREATE TABLE public.settlement_settled (
    bucket smallint NOT NULL,
    through date
)
WITH (fillfactor='50');

COMMENT ON TABLE public.settlement_settled IS 'distributed by bucket (of the merchants): through which business date its merchants have their settlements';

CREATE TABLE public.slot_range (
    book smallint NOT NULL,
    first_slot integer NOT NULL,
    last_slot integer NOT NULL,
    bucket smallint NOT NULL,
    CONSTRAINT slot_range_check CHECK ((first_slot <= last_slot)),
    CONSTRAINT slot_range_first_slot_check CHECK (((first_slot >= 0) AND (first_slot <= 65535))),
    CONSTRAINT slot_range_last_slot_check CHECK (((last_slot >= 0) AND (last_slot <= 65535)))
);

COMMENT ON TABLE public.slot_range IS 'reference table: which bucket holds the objects whose ids carry a slot';

CREATE TABLE public.staff (
    id uuid NOT NULL,
    login text NOT NULL,
    name text NOT NULL,
    password_hash text NOT NULL,
    role text NOT NULL,
    books smallint[] NOT NULL,
    status text NOT NULL,
    tries smallint DEFAULT 0 NOT NULL,
    tried_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT staff_role_check CHECK ((role = ANY (ARRAY['analyst'::text, 'operator'::text, 'supervisor'::text, 'admin'::text]))),
    CONSTRAINT staff_status_check CHECK ((status = ANY (ARRAY['active'::text, 'closed'::text])))
)
WITH (fillfactor='70');

COMMENT ON TABLE public.staff IS 'reference table: who works at the operator';

CREATE TABLE public.staff_session (
    id uuid NOT NULL,
    staff_id uuid NOT NULL,
    book smallint NOT NULL,
    secret_hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone
);

COMMENT ON TABLE public.staff_session IS 'reference table: a signed-in member of staff, in one book, by the system''s clock';

CREATE TABLE public.test_bank_instruction (
    id uuid NOT NULL,
    book smallint NOT NULL,
    direction text NOT NULL,
    behaviour text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    outcome text NOT NULL,
    code text DEFAULT ''::text NOT NULL,
    ready_at timestamp with time zone NOT NULL,
    CONSTRAINT test_bank_instruction_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT test_bank_instruction_direction_check CHECK ((direction = ANY (ARRAY['debit'::text, 'credit'::text]))),
    CONSTRAINT test_bank_instruction_outcome_check CHECK ((outcome = ANY (ARRAY['done'::text, 'refused'::text])))
);

COMMENT ON TABLE public.test_bank_instruction IS 'reference table, of test books: what the local test bank has done, so that it remembers over restarts; no account number';

COMMENT ON COLUMN public.test_bank_instruction.ready_at IS 'from when on it answers, by the system''s clock';

CREATE TABLE public.verification (
    book smallint NOT NULL,
    at timestamp with time zone NOT NULL,
    through bigint NOT NULL,
    journals bigint NOT NULL,
    breaks integer NOT NULL,
    took_ms integer NOT NULL,
    CONSTRAINT verification_breaks_check CHECK ((breaks >= 0)),
    CONSTRAINT verification_journals_check CHECK ((journals >= 0)),
    CONSTRAINT verification_through_check CHECK ((through >= 0)),
    CONSTRAINT verification_took_ms_check CHECK ((took_ms >= 0))
);

COMMENT ON TABLE public.verification IS 'reference table: each proof of a book''s ledger, by the system''s clock; few rows, never changed';

COMMENT ON COLUMN public.verification.through IS 'the sum of the heads'' numbers that it read: a book whose heads sum to this has not changed since';

CREATE TABLE public.wallet_movement (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    asked_on date NOT NULL,
    posted_on date,
    person_id uuid NOT NULL,
    wallet_id uuid NOT NULL,
    bank_account_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL COLLATE pg_catalog."C",
    failure text,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT wallet_movement_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT wallet_movement_check CHECK (((status = 'posted'::text) = (posted_on IS NOT NULL))),
    CONSTRAINT wallet_movement_check1 CHECK (((status = 'failed'::text) = (failure IS NOT NULL))),
    CONSTRAINT wallet_movement_currency_check CHECK ((octet_length(currency) = 3)),
    CONSTRAINT wallet_movement_kind_check CHECK ((kind = ANY (ARRAY['top_up'::text, 'withdrawal'::text]))),
    CONSTRAINT wallet_movement_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'posted'::text, 'failed'::text])))
)
WITH (fillfactor='85');

COMMENT ON TABLE public.wallet_movement IS 'distributed by bucket: top-ups and withdrawals; a withdrawal''s hold has the withdrawal''s id';

COMMENT ON COLUMN public.wallet_movement.failure IS 'why the bank refused, in its word';

CREATE TABLE public.webhook_endpoint (
    id uuid NOT NULL,
    book smallint NOT NULL,
    merchant_id uuid,
    url text NOT NULL,
    types text[] NOT NULL,
    secret bytea NOT NULL,
    status text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT webhook_endpoint_status_check CHECK ((status = ANY (ARRAY['enabled'::text, 'disabled'::text, 'deleted'::text])))
);

COMMENT ON TABLE public.webhook_endpoint IS 'reference table: addresses that merchants and the platform want their events sent to';

COMMENT ON COLUMN public.webhook_endpoint.merchant_id IS 'whose events; null: those of the whole book, for the platform';

COMMENT ON COLUMN public.webhook_endpoint.types IS 'event types wanted; none: all';

COMMENT ON COLUMN public.webhook_endpoint.secret IS 'the signing secret, sealed under a key outside the database';

ALTER TABLE ONLY public.account_kind
    ADD CONSTRAINT account_kind_name_key UNIQUE (name);

ALTER TABLE ONLY public.account_kind
    ADD CONSTRAINT account_kind_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.audit_entry
    ADD CONSTRAINT audit_entry_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.bank_account
    ADD CONSTRAINT bank_account_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.bank_instruction
    ADD CONSTRAINT bank_instruction_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.bill
    ADD CONSTRAINT bill_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.book
    ADD CONSTRAINT book_name_key UNIQUE (name);

ALTER TABLE ONLY public.book
    ADD CONSTRAINT book_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.checkout_session
    ADD CONSTRAINT checkout_session_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.close_run
    ADD CONSTRAINT close_run_pkey PRIMARY KEY (bucket, business_on, step);

ALTER TABLE ONLY public.cursor
    ADD CONSTRAINT cursor_pkey PRIMARY KEY (bucket, follower);

ALTER TABLE ONLY public.decision
    ADD CONSTRAINT decision_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.delivery_attempt
    ADD CONSTRAINT delivery_attempt_pkey PRIMARY KEY (bucket, delivery_id, number);

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.draw
    ADD CONSTRAINT draw_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (bucket, seq);

ALTER TABLE ONLY public.feature
    ADD CONSTRAINT feature_pkey PRIMARY KEY (bucket, person_id);

ALTER TABLE ONLY public.folded_account
    ADD CONSTRAINT folded_account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.folded_balance
    ADD CONSTRAINT folded_balance_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.head
    ADD CONSTRAINT head_pkey PRIMARY KEY (bucket);

ALTER TABLE ONLY public.hold
    ADD CONSTRAINT hold_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.journal_kind
    ADD CONSTRAINT journal_kind_name_key UNIQUE (name);

ALTER TABLE ONLY public.journal_kind
    ADD CONSTRAINT journal_kind_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.journal
    ADD CONSTRAINT journal_pkey PRIMARY KEY (bucket, seq);

ALTER TABLE ONLY public.key_claim
    ADD CONSTRAINT key_claim_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.lender
    ADD CONSTRAINT lender_book_code_key UNIQUE (book, code);

ALTER TABLE ONLY public.lender
    ADD CONSTRAINT lender_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.line_change
    ADD CONSTRAINT line_change_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.line
    ADD CONSTRAINT line_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.merchant_order
    ADD CONSTRAINT merchant_order_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.merchant
    ADD CONSTRAINT merchant_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.message
    ADD CONSTRAINT message_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.name_claim
    ADD CONSTRAINT name_claim_pkey PRIMARY KEY (bucket, kind, id);

ALTER TABLE ONLY public.one_time_code
    ADD CONSTRAINT one_time_code_pkey PRIMARY KEY (bucket, phone_name, purpose);

ALTER TABLE ONLY public.payment_pin
    ADD CONSTRAINT payment_pin_pkey PRIMARY KEY (bucket, person_id);

ALTER TABLE ONLY public.payment
    ADD CONSTRAINT payment_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.personal_data
    ADD CONSTRAINT personal_data_pkey PRIMARY KEY (bucket, person_id);

ALTER TABLE ONLY public.policy
    ADD CONSTRAINT policy_pkey PRIMARY KEY (id, version);

ALTER TABLE ONLY public.product
    ADD CONSTRAINT product_pkey PRIMARY KEY (id, version);

ALTER TABLE ONLY public.quote
    ADD CONSTRAINT quote_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.refund
    ADD CONSTRAINT refund_bucket_payment_id_refund_no_key UNIQUE (bucket, payment_id, refund_no);

ALTER TABLE ONLY public.refund
    ADD CONSTRAINT refund_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.repayment
    ADD CONSTRAINT repayment_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.risk_list_member
    ADD CONSTRAINT risk_list_member_pkey PRIMARY KEY (list, member_id);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.settlement_drawn
    ADD CONSTRAINT settlement_drawn_pkey PRIMARY KEY (bucket);

ALTER TABLE ONLY public.settlement
    ADD CONSTRAINT settlement_once UNIQUE (bucket, merchant_id, business_on);

ALTER TABLE ONLY public.settlement_part
    ADD CONSTRAINT settlement_part_pkey PRIMARY KEY (bucket, business_on, merchant_id);

ALTER TABLE ONLY public.settlement
    ADD CONSTRAINT settlement_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.settlement_settled
    ADD CONSTRAINT settlement_settled_pkey PRIMARY KEY (bucket);

ALTER TABLE ONLY public.slot_range
    ADD CONSTRAINT slot_range_pkey PRIMARY KEY (book, first_slot);

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT staff_login_key UNIQUE (login);

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT staff_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.staff_session
    ADD CONSTRAINT staff_session_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.test_bank_instruction
    ADD CONSTRAINT test_bank_instruction_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.verification
    ADD CONSTRAINT verification_pkey PRIMARY KEY (book, at);

ALTER TABLE ONLY public.wallet_movement
    ADD CONSTRAINT wallet_movement_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.webhook_endpoint
    ADD CONSTRAINT webhook_endpoint_pkey PRIMARY KEY (id);

CREATE INDEX api_key_by_owner ON public.api_key USING btree (owner_id, id);

CREATE INDEX audit_entry_by_object ON public.audit_entry USING btree (bucket, object_id, id);

CREATE UNIQUE INDEX bank_account_once ON public.bank_account USING btree (bucket, person_id, number_name) WHERE (status <> 'deleted'::text);

CREATE INDEX bank_account_unverified ON public.bank_account USING btree (bucket, id) WHERE (status = 'unverified'::text);

CREATE INDEX bank_instruction_due ON public.bank_instruction USING btree (bucket, next_at) WHERE (status = ANY (ARRAY['new'::text, 'sent'::text]));

CREATE UNIQUE INDEX bill_of_line ON public.bill USING btree (bucket, line_id, issued_on);

CREATE INDEX bill_to_wake ON public.bill USING btree (bucket, wake_on, line_id) WHERE (wake_on IS NOT NULL);

CREATE INDEX bill_unsettled ON public.bill USING btree (bucket, line_id) WHERE (NOT settled);

CREATE INDEX checkout_session_of_order ON public.checkout_session USING btree (bucket, order_id, created_at);

CREATE INDEX delivery_by_age ON public.delivery USING brin (created_at);

CREATE INDEX delivery_by_endpoint ON public.delivery USING btree (bucket, endpoint_id, created_at, id);

CREATE INDEX delivery_due ON public.delivery USING btree (bucket, endpoint_id, due_at) WHERE (status = 'waiting'::text);

CREATE INDEX delivery_in_order ON public.delivery USING btree (bucket, endpoint_id, object_id, event_seq, event_index) WHERE (status = 'waiting'::text);

CREATE INDEX draw_to_bill ON public.draw USING btree (bucket, line_id) WHERE (unbilled_minor > 0);

CREATE INDEX event_by_merchant ON public.event USING btree (bucket, merchant_id, seq) WHERE (merchant_id IS NOT NULL);

CREATE INDEX folded_account_by_owner ON public.folded_account USING btree (owner);

CREATE INDEX journal_of ON public.journal USING btree (bucket, of);

CREATE INDEX journal_of_account ON public.journal USING gin ((accounts[1:guarded])) WITH (fastupdate=off);

CREATE UNIQUE INDEX journal_reversed_once ON public.journal USING btree (bucket, reverses) WHERE (reverses IS NOT NULL);

CREATE INDEX key_claim_by_age ON public.key_claim USING brin (created_at);

CREATE INDEX line_change_of_line ON public.line_change USING btree (bucket, line_id, id);

CREATE UNIQUE INDEX line_of_person ON public.line USING btree (bucket, person_id, product) WHERE (status <> 'closed'::text);

CREATE INDEX line_to_bill ON public.line USING btree (bucket, next_bill_on, id) WHERE (next_bill_on IS NOT NULL);

CREATE INDEX line_to_debit ON public.line USING btree (bucket, id) WHERE (auto_debit IS NOT NULL);

CREATE INDEX line_to_suspend ON public.line USING btree (bucket, suspend_on, id) WHERE (suspend_on IS NOT NULL);

CREATE INDEX merchant_order_by_expiry ON public.merchant_order USING btree (bucket, expires_at) WHERE (state = 'open'::text);

CREATE INDEX merchant_order_by_merchant ON public.merchant_order USING btree (bucket, merchant_id, created_at);

CREATE INDEX message_by_phone ON public.message USING btree (bucket, phone_name, number);

CREATE INDEX payment_by_expiry ON public.payment USING btree (bucket, expires_at) WHERE (status = ANY (ARRAY['requires_action'::text, 'pending'::text, 'authorised'::text]));

CREATE INDEX payment_by_merchant ON public.payment USING btree (bucket, merchant_id, id);

CREATE INDEX payment_by_payer ON public.payment USING btree (bucket, payer_id, id);

CREATE UNIQUE INDEX person_by_wallet ON public.person USING btree (bucket, wallet_id);

CREATE INDEX refund_by_merchant ON public.refund USING btree (bucket, merchant_id, id);

CREATE INDEX repayment_of_line ON public.repayment USING btree (bucket, line_id, id);

CREATE INDEX repayment_pending ON public.repayment USING btree (bucket, id) WHERE (status = 'pending'::text);

CREATE INDEX risk_list_member_by_member ON public.risk_list_member USING btree (member_id);

CREATE INDEX session_by_person ON public.session USING btree (bucket, person_id) WHERE (revoked_at IS NULL);

CREATE INDEX staff_session_by_staff ON public.staff_session USING btree (staff_id) WHERE (revoked_at IS NULL);

CREATE INDEX wallet_movement_by_day ON public.wallet_movement USING btree (bucket, wallet_id, asked_on) WHERE (status <> 'failed'::text);

CREATE INDEX wallet_movement_by_wallet ON public.wallet_movement USING btree (bucket, wallet_id, id);

CREATE INDEX wallet_movement_pending ON public.wallet_movement USING btree (bucket, wallet_id) WHERE (status = 'pending'::text);

CREATE INDEX webhook_endpoint_by_owner ON public.webhook_endpoint USING btree (book, merchant_id);

CREATE TRIGGER journal_never_changed BEFORE DELETE OR UPDATE ON public.journal FOR EACH ROW EXECUTE FUNCTION public.wufeng_refuse_change();

CREATE TRIGGER journal_never_truncated BEFORE TRUNCATE ON public.journal FOR EACH STATEMENT EXECUTE FUNCTION public.wufeng_refuse_change();

CREATE TRIGGER journal_reverses_one BEFORE INSERT ON public.journal FOR EACH ROW WHEN ((new.reverses IS NOT NULL)) EXECUTE FUNCTION public.wufeng_check_reversal();

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_kind_fkey FOREIGN KEY (kind) REFERENCES public.account_kind(number);

ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_book_fkey FOREIGN KEY (book) REFERENCES public.book(id);

ALTER TABLE ONLY public.folded_account
    ADD CONSTRAINT folded_account_book_fkey FOREIGN KEY (book) REFERENCES public.book(id);

ALTER TABLE ONLY public.folded_account
    ADD CONSTRAINT folded_account_kind_fkey FOREIGN KEY (kind) REFERENCES public.account_kind(number);

ALTER TABLE ONLY public.merchant
    ADD CONSTRAINT merchant_book_fkey FOREIGN KEY (book) REFERENCES public.book(id);

ALTER TABLE ONLY public.slot_range
    ADD CONSTRAINT slot_range_book_fkey FOREIGN KEY (book) REFERENCES public.book(id);

ALTER TABLE ONLY public.staff_session
    ADD CONSTRAINT staff_session_book_fkey FOREIGN KEY (book) REFERENCES public.book(id);

ALTER TABLE ONLY public.staff_session
    ADD CONSTRAINT staff_session_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.verification
    ADD CONSTRAINT verification_book_fkey FOREIGN KEY (book) REFERENCES public.book(id);

ALTER TABLE ONLY public.webhook_endpoint
    ADD CONSTRAINT webhook_endpoint_book_fkey FOREIGN KEY (book) REFERENCES public.book(id);

GRANT SELECT,INSERT ON TABLE public.account TO wufeng_app;

GRANT UPDATE(balance_minor) ON TABLE public.account TO wufeng_app;

GRANT UPDATE(held_minor) ON TABLE public.account TO wufeng_app;

GRANT UPDATE(min_minor) ON TABLE public.account TO wufeng_app;

GRANT UPDATE(max_minor) ON TABLE public.account TO wufeng_app;

GRANT SELECT ON TABLE public.account_kind TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.api_key TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.audit_entry TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.bank_account TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.bank_instruction TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.bill TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.book TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.checkout_session TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.close_run TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.cursor TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.decision TO wufeng_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.delivery TO wufeng_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.delivery_attempt TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.draw TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.event TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.feature TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.folded_account TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.folded_balance TO wufeng_app;

GRANT UPDATE(balance_minor) ON TABLE public.folded_balance TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.journal TO wufeng_app;

GRANT SELECT ON TABLE public.folded_leg TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.head TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.hold TO wufeng_app;

GRANT UPDATE(posted_minor) ON TABLE public.hold TO wufeng_app;

GRANT UPDATE(status) ON TABLE public.hold TO wufeng_app;

GRANT SELECT ON TABLE public.journal_kind TO wufeng_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.key_claim TO wufeng_app;

GRANT SELECT ON TABLE public.leg TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.lender TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.line TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.line_change TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.merchant TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.merchant_order TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.message TO wufeng_app;

GRANT SELECT ON TABLE public.migration TO wufeng_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.name_claim TO wufeng_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.one_time_code TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.payment TO wufeng_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.payment_pin TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.person TO wufeng_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.personal_data TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.policy TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.product TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.quote TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.refund TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.repayment TO wufeng_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.risk_list_member TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.session TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.settlement TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.settlement_drawn TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.settlement_part TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.settlement_settled TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.slot_range TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.staff TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.staff_session TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.test_bank_instruction TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.verification TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.wallet_movement TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.webhook_endpoint TO wufeng_app;
