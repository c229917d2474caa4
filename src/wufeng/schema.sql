-- Today's whole schema, to be read. `wufeng migrate --write-schema` writes it from the migrations.

CREATE FUNCTION public.wufeng_account_id(owner uuid, kind integer) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (encode(set_byte(uuid_send(owner), 7, (get_byte(uuid_send(owner), 7) # kind)), 'hex'::text))::uuid;

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

CREATE FUNCTION public.wufeng_letter_pairs() RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '\x303030313032303330343035303630373038303930613062306330643065306630673068306a306b306d306e307030713072307330743076307730783079307a313031313132313331343135313631373138313931613162316331643165316631673168316a316b316d316e317031713172317331743176317731783179317a323032313232323332343235323632373238323932613262326332643265326632673268326a326b326d326e327032713272327332743276327732783279327a333033313332333333343335333633373338333933613362336333643365336633673368336a336b336d336e337033713372337333743376337733783379337a343034313432343334343435343634373438343934613462346334643465346634673468346a346b346d346e347034713472347334743476347734783479347a353035313532353335343535353635373538353935613562356335643565356635673568356a356b356d356e357035713572357335743576357735783579357a363036313632363336343635363636373638363936613662366336643665366636673668366a366b366d366e367036713672367336743676367736783679367a373037313732373337343735373637373738373937613762376337643765376637673768376a376b376d376e377037713772377337743776377737783779377a383038313832383338343835383638373838383938613862386338643865386638673868386a386b386d386e387038713872387338743876387738783879387a393039313932393339343935393639373938393939613962396339643965396639673968396a396b396d396e397039713972397339743976397739783979397a613061316132613361346135613661376138613961616162616361646165616661676168616a616b616d616e617061716172617361746176617761786179617a623062316232623362346235623662376238623962616262626362646265626662676268626a626b626d626e627062716272627362746276627762786279627a633063316332633363346335633663376338633963616362636363646365636663676368636a636b636d636e637063716372637363746376637763786379637a643064316432643364346435643664376438643964616462646364646465646664676468646a646b646d646e647064716472647364746476647764786479647a653065316532653365346535653665376538653965616562656365646565656665676568656a656b656d656e657065716572657365746576657765786579657a663066316632663366346635663666376638663966616662666366646665666666676668666a666b666d666e667066716672667366746676667766786679667a673067316732673367346735673667376738673967616762676367646765676667676768676a676b676d676e677067716772677367746776677767786779677a683068316832683368346835683668376838683968616862686368646865686668676868686a686b686d686e687068716872687368746876687768786879687a6a306a316a326a336a346a356a366a376a386a396a616a626a636a646a656a666a676a686a6a6a6b6a6d6a6e6a706a716a726a736a746a766a776a786a796a7a6b306b316b326b336b346b356b366b376b386b396b616b626b636b646b656b666b676b686b6a6b6b6b6d6b6e6b706b716b726b736b746b766b776b786b796b7a6d306d316d326d336d346d356d366d376d386d396d616d626d636d646d656d666d676d686d6a6d6b6d6d6d6e6d706d716d726d736d746d766d776d786d796d7a6e306e316e326e336e346e356e366e376e386e396e616e626e636e646e656e666e676e686e6a6e6b6e6d6e6e6e706e716e726e736e746e766e776e786e796e7a703070317032703370347035703670377038703970617062706370647065706670677068706a706b706d706e707070717072707370747076707770787079707a713071317132713371347135713671377138713971617162716371647165716671677168716a716b716d716e717071717172717371747176717771787179717a723072317232723372347235723672377238723972617262726372647265726672677268726a726b726d726e727072717272727372747276727772787279727a733073317332733373347335733673377338733973617362736373647365736673677368736a736b736d736e737073717372737373747376737773787379737a743074317432743374347435743674377438743974617462746374647465746674677468746a746b746d746e747074717472747374747476747774787479747a763076317632763376347635763676377638763976617662766376647665766676677668766a766b766d766e767076717672767376747676767776787679767a773077317732773377347735773677377738773977617762776377647765776677677768776a776b776d776e777077717772777377747776777777787779777a783078317832783378347835783678377838783978617862786378647865786678677868786a786b786d786e787078717872787378747876787778787879787a793079317932793379347935793679377938793979617962796379647965796679677968796a796b796d796e797079717972797379747976797779787979797a7a307a317a327a337a347a357a367a377a387a397a617a627a637a647a657a667a677a687a6a7a6b7a6d7a6e7a707a717a727a737a747a767a777a787a797a7a'::bytea;

CREATE FUNCTION public.wufeng_id_text(high bigint, low bigint) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN encode(((((((((((((substr(public.wufeng_letter_pairs(), (((((high >> 56) & (255)::bigint))::integer * 2) + 1), 2) || substr(public.wufeng_letter_pairs(), (((((high >> 46) & (1023)::bigint))::integer * 2) + 1), 2)) || substr(public.wufeng_letter_pairs(), (((((high >> 36) & (1023)::bigint))::integer * 2) + 1), 2)) || substr(public.wufeng_letter_pairs(), (((((high >> 26) & (1023)::bigint))::integer * 2) + 1), 2)) || substr(public.wufeng_letter_pairs(), (((((high >> 16) & (1023)::bigint))::integer * 2) + 1), 2)) || substr(public.wufeng_letter_pairs(), (((((high >> 6) & (1023)::bigint))::integer * 2) + 1), 2)) || substr(public.wufeng_letter_pairs(), ((((((high & (63)::bigint) << 4) | ((low >> 60) & (15)::bigint)))::integer * 2) + 1), 2)) || substr(public.wufeng_letter_pairs(), (((((low >> 50) & (1023)::bigint))::integer * 2) + 1), 2)) || substr(public.wufeng_letter_pairs(), (((((low >> 40) & (1023)::bigint))::integer * 2) + 1), 2)) || substr(public.wufeng_letter_pairs(), (((((low >> 30) & (1023)::bigint))::integer * 2) + 1), 2)) || substr(public.wufeng_letter_pairs(), (((((low >> 20) & (1023)::bigint))::integer * 2) + 1), 2)) || substr(public.wufeng_letter_pairs(), (((((low >> 10) & (1023)::bigint))::integer * 2) + 1), 2)) || substr(public.wufeng_letter_pairs(), (((((low >> 0) & (1023)::bigint))::integer * 2) + 1), 2)), 'escape'::text);

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

CREATE TABLE public.accrual (
    bucket smallint NOT NULL,
    product text NOT NULL,
    product_version integer NOT NULL,
    business_on date NOT NULL,
    micro bigint NOT NULL,
    daily_micro bigint NOT NULL,
    billed_minor bigint DEFAULT 0 NOT NULL
);

COMMENT ON TABLE public.accrual IS 'distributed by bucket: how a date moves the interest that is earned and not billed: by micro at the end of that date, and by daily_micro for each day after it; rows of dates to come say what begins or ends by itself';

COMMENT ON COLUMN public.accrual.product_version IS 'the version that the lines were opened under: it names their lenders';

COMMENT ON COLUMN public.accrual.billed_minor IS 'how much of what was earned events of that date billed, by the rows of bills and draws; summed over all rows it is all that ever was';

CREATE TABLE public.accrual_close (
    bucket smallint NOT NULL,
    product text NOT NULL,
    product_version integer NOT NULL,
    business_on date NOT NULL,
    accrued_minor bigint NOT NULL
);

COMMENT ON TABLE public.accrual_close IS 'distributed by bucket: what stood as accrued interest in the ledger at the end of a date on which it changed';

CREATE TABLE public.accrual_ledger (
    bucket smallint NOT NULL,
    product text NOT NULL,
    product_version integer NOT NULL,
    income_minor bigint NOT NULL,
    accrued_minor bigint NOT NULL
);

COMMENT ON TABLE public.accrual_ledger IS 'distributed by bucket: what journals have put on the lenders'' interest income and accrued interest, up to the number in accrual_read';

COMMENT ON COLUMN public.accrual_ledger.income_minor IS 'billed interest and accrued interest together, as earned: above zero';

CREATE TABLE public.accrual_read (
    bucket smallint NOT NULL,
    seq bigint NOT NULL
);

COMMENT ON TABLE public.accrual_read IS 'distributed by bucket: the number of the last journal that accrual_ledger holds';

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
    addresses text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT api_key_kind_check CHECK ((kind = ANY (ARRAY['platform'::text, 'merchant'::text])))
)
WITH (fillfactor='80');

COMMENT ON TABLE public.api_key IS 'reference table: several live keys an owner may have, so that they can be rotated';

COMMENT ON COLUMN public.api_key.owner_id IS 'the merchant, or the operator''s own id in the book: idempotency keys are scoped by it';

COMMENT ON COLUMN public.api_key.prefix IS 'the part that may be shown; the secret is kept as a hash only';

COMMENT ON COLUMN public.api_key.addresses IS 'address ranges (CIDR) that it may be used from; none: anywhere';

CREATE TABLE public.application (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    line_id uuid,
    order_id uuid,
    order_minor bigint,
    limit_minor bigint,
    score integer NOT NULL,
    product_version integer NOT NULL,
    review_on date,
    kind text NOT NULL,
    product text NOT NULL,
    currency text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL,
    grade text,
    price text,
    policy text NOT NULL,
    inputs json NOT NULL,
    decision json NOT NULL,
    sheet bytea,
    sheet_hash text,
    contract bytea,
    contract_hash text,
    confirmed_by text,
    expires_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    decided_at timestamp with time zone NOT NULL,
    accepted_at timestamp with time zone,
    mode text,
    CONSTRAINT application_currency_check CHECK ((octet_length(currency) = 3)),
    CONSTRAINT application_kind_check CHECK ((kind = ANY (ARRAY['opening'::text, 'raise'::text]))),
    CONSTRAINT application_limit_minor_check CHECK ((limit_minor > 0)),
    CONSTRAINT application_mode_check CHECK ((mode = ANY (ARRAY['order'::text, 'bill'::text]))),
    CONSTRAINT application_papers CHECK (((status <> ALL (ARRAY['offered'::text, 'accepted'::text])) OR ((sheet IS NOT NULL) AND (contract IS NOT NULL)))),
    CONSTRAINT application_raise CHECK (((kind <> 'raise'::text) OR (line_id IS NOT NULL))),
    CONSTRAINT application_signed CHECK (((status = 'accepted'::text) = (accepted_at IS NOT NULL))),
    CONSTRAINT application_status_check CHECK ((status = ANY (ARRAY['checking'::text, 'offered'::text, 'referred'::text, 'accepted'::text, 'declined'::text, 'lapsed'::text])))
)
WITH (fillfactor='80');

COMMENT ON TABLE public.application IS 'distributed by bucket: a request for a line, or the offer of a higher limit, with what was shown and signed';

COMMENT ON COLUMN public.application.review_on IS 'the next monthly review of its line; of all its applications the last accepted keeps it';

COMMENT ON COLUMN public.application.inputs IS 'all that the decision was made from: with the policy it can be made again';

COMMENT ON COLUMN public.application.sheet IS 'the all-in cost sheet, canonical JSON as it was shown; never changed, sheet_hash is its SHA-256';

COMMENT ON COLUMN public.application.contract IS 'the contract as it was shown; never changed';

COMMENT ON COLUMN public.application.confirmed_by IS 'the proof that the person signed with';

COMMENT ON COLUMN public.application.mode IS 'how the draws of its line become due; null: it was made before there was a choice, and has its product''s first';

CREATE TABLE public.application_consent (
    bucket smallint NOT NULL,
    application_id uuid NOT NULL,
    purpose text NOT NULL,
    version integer NOT NULL,
    given_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.application_consent IS 'distributed by bucket: what a person agreed to with an application, and to which text; never changed';

CREATE TABLE public.application_policy (
    name text NOT NULL,
    effective_from date NOT NULL,
    content_hash text NOT NULL,
    source text NOT NULL,
    created_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.application_policy IS 'reference table: every version of the application policy that was ever decided by; applications and reviews name theirs';

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
    bears_fees boolean DEFAULT false NOT NULL,
    least_minor integer DEFAULT 0 NOT NULL,
    most_minor bigint,
    grace_days smallint DEFAULT 0 NOT NULL,
    item_interest bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    over_limit_minor bigint DEFAULT 0 NOT NULL,
    rounding text,
    pieces text,
    seq bigint,
    over_limit_refunded_minor bigint DEFAULT 0 NOT NULL,
    used_minor bigint,
    over_limit_from_minor bigint,
    over_limit_most_minor bigint DEFAULT 0 NOT NULL,
    over_limit_used_minor bigint,
    CONSTRAINT bill_dates CHECK ((issued_on <= due_on)),
    CONSTRAINT bill_fee CHECK (((paid_fee_minor >= 0) AND (paid_fee_minor <= fee_minor))),
    CONSTRAINT bill_interest CHECK (((paid_interest_minor >= 0) AND (paid_interest_minor <= (interest_minor + late_interest_minor)))),
    CONSTRAINT bill_pieces_check CHECK ((pieces = 'each'::text)),
    CONSTRAINT bill_principal CHECK (((paid_principal_minor >= 0) AND (paid_principal_minor <= (single_minor + instalment_minor)))),
    CONSTRAINT bill_rounding_check CHECK ((rounding = ANY (ARRAY['half_up'::text, 'down'::text, 'up'::text]))),
    CONSTRAINT bill_status_check CHECK ((status = ANY (ARRAY['open'::text, 'minimum_paid'::text, 'overdue'::text, 'paid'::text])))
)
WITH (fillfactor='70');

COMMENT ON TABLE public.bill IS 'distributed by bucket: what a line owes for one cycle; items are fixed when it is issued';

COMMENT ON COLUMN public.bill.wake_on IS 'the date on which the day close looks at it: the due date, then the day after';

COMMENT ON COLUMN public.bill.settled IS 'nothing is owed on it and all interest it has earned is billed';

COMMENT ON COLUMN public.bill.segments IS 'stretches of interest that are over: [since_on, until_on, balance_minor, daily_ppm]';

COMMENT ON COLUMN public.bill.interest_of IS 'where interest_minor comes from: [bill, amount_minor]';

COMMENT ON COLUMN public.bill.bears_fees IS 'late interest is taken of unpaid fees too';

COMMENT ON COLUMN public.bill.least_minor IS 'the least late interest of one day';

COMMENT ON COLUMN public.bill.most_minor IS 'no more late interest than this; null: no cap';

COMMENT ON COLUMN public.bill.over_limit_minor IS 'principal above the limit once a raise was over: part of the minimum';

COMMENT ON COLUMN public.bill.rounding IS 'of its interest, when it is billed; null: half_even';

COMMENT ON COLUMN public.bill.pieces IS 'each: every stretch of days is rounded by itself; null: all of them together';

COMMENT ON COLUMN public.bill.seq IS 'the bucket''s last number when it was issued: what has a greater one came after it';

COMMENT ON COLUMN public.bill.over_limit_refunded_minor IS 'principal refunded since the bill was issued, of draws used then: so much less of over_limit_minor is asked for';

COMMENT ON COLUMN public.bill.used_minor IS 'principal used when the bill was issued, less what was refunded of it since, where it asks for a share of that and no more is billed; null: it does not, or is older than this column';

COMMENT ON COLUMN public.bill.over_limit_from_minor IS 'what was allowed when the bill was issued, where a raise that was over had allowed more: principal above it is over_limit_minor; null: no raise had, or it is older than this column';

COMMENT ON COLUMN public.bill.over_limit_most_minor IS 'how much more that raise had allowed: over_limit_minor is no more';

COMMENT ON COLUMN public.bill.over_limit_used_minor IS 'principal used when the bill was issued, where a raise that was over had allowed more: of it and of what was refunded since follows what is asked for above over_limit_from_minor; null: no raise had, or it is older than this column';

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

CREATE TABLE public.campaign (
    id uuid NOT NULL,
    book smallint NOT NULL,
    merchant_id uuid NOT NULL,
    name text NOT NULL,
    from_on date NOT NULL,
    until_on date NOT NULL,
    order_least_minor bigint NOT NULL,
    order_most_minor bigint,
    tenors smallint[] NOT NULL,
    products text[] NOT NULL,
    share_ppm integer NOT NULL,
    budget_minor bigint,
    given_minor bigint DEFAULT 0 NOT NULL,
    status text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT campaign_budget_minor_check CHECK ((budget_minor > 0)),
    CONSTRAINT campaign_check CHECK ((from_on <= until_on)),
    CONSTRAINT campaign_check1 CHECK ((order_least_minor <= order_most_minor)),
    CONSTRAINT campaign_check2 CHECK ((given_minor <= budget_minor)),
    CONSTRAINT campaign_given_minor_check CHECK ((given_minor >= 0)),
    CONSTRAINT campaign_order_least_minor_check CHECK ((order_least_minor > 0)),
    CONSTRAINT campaign_share_ppm_check CHECK (((share_ppm >= 1) AND (share_ppm <= 1000000))),
    CONSTRAINT campaign_status_check CHECK ((status = ANY (ARRAY['open'::text, 'paused'::text, 'ended'::text])))
)
WITH (fillfactor='80');

COMMENT ON TABLE public.campaign IS 'reference table: what merchants carry of the price of instalments';

COMMENT ON COLUMN public.campaign.products IS 'of lines that it is for; none: all';

COMMENT ON COLUMN public.campaign.share_ppm IS 'of the price, carried by the merchant';

COMMENT ON COLUMN public.campaign.budget_minor IS 'the most that it carries; null: no limit';

COMMENT ON COLUMN public.campaign.given_minor IS 'of the budget, what the buckets'' slices hold, used or not';

CREATE TABLE public.campaign_slice (
    bucket smallint NOT NULL,
    campaign_id uuid NOT NULL,
    given_minor bigint,
    used_minor bigint DEFAULT 0 NOT NULL,
    CONSTRAINT campaign_slice_check CHECK ((used_minor <= given_minor)),
    CONSTRAINT campaign_slice_used_minor_check CHECK ((used_minor >= 0))
)
WITH (fillfactor='50');

COMMENT ON TABLE public.campaign_slice IS 'distributed by bucket: the lease of a bucket on a campaign''s budget, made on first use';

COMMENT ON COLUMN public.campaign_slice.given_minor IS 'what payments of the bucket may use; null: the campaign has no budget';

COMMENT ON COLUMN public.campaign_slice.used_minor IS 'what payments of the bucket hold or have taken, less what refunds gave back';

CREATE TABLE public.charge_off (
    bucket smallint NOT NULL,
    line_id uuid NOT NULL,
    charged_off_on date NOT NULL,
    principal_minor bigint NOT NULL,
    interest_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    CONSTRAINT charge_off_fee_minor_check CHECK ((fee_minor >= 0)),
    CONSTRAINT charge_off_interest_minor_check CHECK ((interest_minor >= 0)),
    CONSTRAINT charge_off_principal_minor_check CHECK ((principal_minor >= 0))
);

COMMENT ON TABLE public.charge_off IS 'distributed by bucket: what was lost of a line when its loss was taken';

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
    cancel_url text,
    cancelled_at timestamp with time zone,
    CONSTRAINT checkout_session_merchant_fee_share_ppm_check CHECK (((merchant_fee_share_ppm >= 0) AND (merchant_fee_share_ppm <= 1000000)))
);

COMMENT ON TABLE public.checkout_session IS 'distributed by bucket (of its order): the hosted page of one order';

COMMENT ON COLUMN public.checkout_session.cancel_url IS 'where somebody goes who does not pay; null: the return_url';

COMMENT ON COLUMN public.checkout_session.cancelled_at IS 'a person who had the page did not want to pay';

CREATE TABLE public.close_run (
    bucket smallint NOT NULL,
    business_on date NOT NULL,
    step text NOT NULL,
    row_count bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    took_ms bigint DEFAULT 0 NOT NULL,
    errors text[] DEFAULT '{}'::text[] NOT NULL
);

COMMENT ON TABLE public.close_run IS 'distributed by bucket: what the close of a business date has done, a row a finished step';

COMMENT ON COLUMN public.close_run.business_on IS 'the business date that was closed';

COMMENT ON COLUMN public.close_run.took_ms IS 'how long all runs of the step took together; closers at one time add up';

COMMENT ON COLUMN public.close_run.errors IS 'what could not be done in its last run: it stays due, and is tried again by the next close';

CREATE TABLE public.consent_withdrawal (
    bucket smallint NOT NULL,
    application_id uuid NOT NULL,
    purpose text NOT NULL,
    line_id uuid,
    withdrawn_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.consent_withdrawal IS 'distributed by bucket: consents of applications that their people took back; never changed';

COMMENT ON COLUMN public.consent_withdrawal.line_id IS 'the line that may not be drawn on without it; null: there is none';

CREATE TABLE public.credit_cap (
    bucket smallint NOT NULL,
    person_id uuid NOT NULL,
    cap_minor bigint,
    set_at timestamp with time zone NOT NULL,
    CONSTRAINT credit_cap_cap_minor_check CHECK ((cap_minor >= 0))
);

COMMENT ON TABLE public.credit_cap IS 'distributed by bucket: the most that all lines of a person together may come to';

COMMENT ON COLUMN public.credit_cap.cap_minor IS 'null, like no row: no cap';

CREATE TABLE public.cursor (
    bucket smallint NOT NULL,
    follower text NOT NULL,
    seq bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='50');

COMMENT ON TABLE public.cursor IS 'distributed by bucket: how far a follower has come';

CREATE TABLE public.debit (
    bucket smallint NOT NULL,
    repayment_id uuid NOT NULL,
    line_id uuid NOT NULL,
    tried_on date NOT NULL,
    number smallint NOT NULL
);

COMMENT ON TABLE public.debit IS 'distributed by bucket: repayments that auto-debit has asked an outside rail for';

COMMENT ON COLUMN public.debit.number IS 'which of the product''s times of the date asked, from 0';

CREATE TABLE public.debit_try (
    bucket smallint NOT NULL,
    line_id uuid NOT NULL,
    tried_on date NOT NULL,
    tries smallint NOT NULL,
    CONSTRAINT debit_try_tries_check CHECK ((tries > 0))
)
WITH (fillfactor='80');

COMMENT ON TABLE public.debit_try IS 'distributed by bucket: the last date on which a line was debited, or it was tried';

COMMENT ON COLUMN public.debit_try.tries IS 'how many of the product''s times of that date have been made';

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

CREATE TABLE public.device (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    name text NOT NULL,
    secret_hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    trusted_at timestamp with time zone,
    revoked_at timestamp with time zone
)
WITH (fillfactor='80');

COMMENT ON TABLE public.device IS 'distributed by bucket: what a person signs in on; the id carries the person''s slot';

COMMENT ON COLUMN public.device.secret_hash IS 'of the secret that the device shows when it signs in again';

COMMENT ON COLUMN public.device.seen_at IS 'when somebody last signed in on it';

COMMENT ON COLUMN public.device.trusted_at IS 'when the person first proved a PIN or a passkey on it';

CREATE TABLE public.draw (
    bucket smallint NOT NULL,
    tenor smallint NOT NULL,
    billed_parts smallint DEFAULT 0 NOT NULL,
    id uuid NOT NULL,
    line_id uuid NOT NULL,
    payment_id uuid,
    merchant_id uuid,
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
    of_bill uuid,
    daily_ppm integer DEFAULT 0 NOT NULL,
    accrued_on date,
    interest_billed_minor bigint DEFAULT 0 NOT NULL,
    charges_open boolean DEFAULT false NOT NULL,
    segments json,
    interest_parts bigint[],
    bill_dates date[],
    due_dates date[],
    rounding text,
    pieces text,
    CONSTRAINT draw_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT draw_pieces_check CHECK ((pieces = 'each'::text)),
    CONSTRAINT draw_posted CHECK (((status = 'posted'::text) = (posted_on IS NOT NULL))),
    CONSTRAINT draw_prepaid_minor_check CHECK ((prepaid_minor >= 0)),
    CONSTRAINT draw_purpose CHECK (((payment_id IS NULL) = (of_bill IS NOT NULL))),
    CONSTRAINT draw_rounding_check CHECK ((rounding = ANY (ARRAY['half_up'::text, 'down'::text, 'up'::text]))),
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

COMMENT ON COLUMN public.draw.of_bill IS 'the bill whose principal this plan spreads; null: it paid a merchant';

COMMENT ON COLUMN public.draw.daily_ppm IS 'interest a day on what is not billed, from accrued_on on; 0: free until the due date';

COMMENT ON COLUMN public.draw.charges_open IS 'fees or interest are still to be billed, though principal may not be';

COMMENT ON COLUMN public.draw.segments IS 'stretches of interest that are over: [since_on, until_on, balance_minor, daily_ppm, least_minor]';

COMMENT ON COLUMN public.draw.interest_parts IS 'interest of each instalment by its plan; null: none';

COMMENT ON COLUMN public.draw.bill_dates IS 'dates of the bills of its parts, where they are the draw''s own; null: the line''s';

COMMENT ON COLUMN public.draw.due_dates IS 'due dates of its parts, where they are the draw''s own';

COMMENT ON COLUMN public.draw.rounding IS 'of its interest, when it is billed; null: half_even';

COMMENT ON COLUMN public.draw.pieces IS 'each: every stretch of days is rounded by itself; null: all of them together';

CREATE TABLE public.draw_refund (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    line_id uuid NOT NULL,
    draws uuid[] NOT NULL,
    amount_minor bigint NOT NULL,
    value_on date NOT NULL,
    posted_on date NOT NULL,
    returned json NOT NULL,
    merchants_fault boolean DEFAULT false NOT NULL,
    subsidy_returned_minor bigint DEFAULT 0 NOT NULL,
    undone boolean DEFAULT false NOT NULL,
    CONSTRAINT draw_refund_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT draw_refund_subsidy_returned_minor_check CHECK ((subsidy_returned_minor >= 0))
);

COMMENT ON TABLE public.draw_refund IS 'distributed by bucket: refunds of draws, as a line''s history is folded again';

COMMENT ON COLUMN public.draw_refund.returned IS 'money that it gave back to the sources of repayments';

COMMENT ON COLUMN public.draw_refund.merchants_fault IS 'paid fees of the refunded part came back too';

COMMENT ON COLUMN public.draw_refund.subsidy_returned_minor IS 'merchant-paid fees that went back to the merchant; 0 of refunds before this column, which differences do not mind';

COMMENT ON COLUMN public.draw_refund.undone IS 'as if the purchase had not happened: no charges of it are kept';

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

CREATE TABLE public.family_card (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    owner_id uuid NOT NULL,
    owner_phone_id uuid NOT NULL,
    spender_phone_id uuid NOT NULL,
    spender_id uuid,
    name text NOT NULL,
    use_wallet boolean NOT NULL,
    line_id uuid,
    month_cap_minor bigint NOT NULL,
    payment_cap_minor bigint,
    status text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    month_on date NOT NULL,
    used_minor bigint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT family_card_check CHECK ((use_wallet <> (line_id IS NOT NULL))),
    CONSTRAINT family_card_check1 CHECK (((spender_id IS NULL) OR (status <> 'invited'::text))),
    CONSTRAINT family_card_month_cap_minor_check CHECK ((month_cap_minor > 0)),
    CONSTRAINT family_card_payment_cap_minor_check CHECK ((payment_cap_minor > 0)),
    CONSTRAINT family_card_status_check CHECK ((status = ANY (ARRAY['invited'::text, 'active'::text, 'paused'::text, 'stopped'::text]))),
    CONSTRAINT family_card_used_minor_check CHECK ((used_minor >= 0))
)
WITH (fillfactor='70');

COMMENT ON TABLE public.family_card IS 'distributed by bucket (of the owner): who may spend from whose money, and how much a month';

COMMENT ON COLUMN public.family_card.owner_phone_id IS 'name claim of the owner''s phone when the card was made: another phone ends its use';

COMMENT ON COLUMN public.family_card.spender_phone_id IS 'name claim of the phone that was invited, whoever''s it is, or nobody''s yet';

COMMENT ON COLUMN public.family_card.name IS 'what the owner calls it';

COMMENT ON COLUMN public.family_card.month_on IS 'first date of the business month that used_minor stands for';

COMMENT ON COLUMN public.family_card.used_minor IS 'what payments of that month hold or have taken, less what came back within it';

CREATE TABLE public.family_use (
    bucket smallint NOT NULL,
    payment_id uuid NOT NULL,
    card_id uuid NOT NULL,
    month_on date NOT NULL,
    used_minor bigint NOT NULL,
    CONSTRAINT family_use_used_minor_check CHECK ((used_minor >= 0))
)
WITH (fillfactor='80');

COMMENT ON TABLE public.family_use IS 'distributed by bucket: payments made with family cards, those that wait or were declined too';

COMMENT ON COLUMN public.family_use.month_on IS 'first date of the business month in which it was decided';

COMMENT ON COLUMN public.family_use.used_minor IS 'what it holds or has taken of that month''s cap';

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

CREATE TABLE public.friend_link (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    asker_id uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    cancelled_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.friend_link IS 'distributed by bucket (of the order''s slot): who asks a friend to pay an order';

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

CREATE TABLE public.identity_check (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    method text NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    reason text NOT NULL,
    checks text[] NOT NULL,
    tier smallint NOT NULL,
    name bytea,
    document bytea,
    evidence bytea,
    asks smallint DEFAULT 0 NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    answered_at timestamp with time zone,
    CONSTRAINT identity_check_check CHECK (((status = 'pending'::text) = (answered_at IS NULL))),
    CONSTRAINT identity_check_check1 CHECK (((status = 'pending'::text) OR ((name IS NULL) AND (document IS NULL) AND (evidence IS NULL)))),
    CONSTRAINT identity_check_kind_check CHECK ((kind = ANY (ARRAY['resident_id'::text, 'passport'::text]))),
    CONSTRAINT identity_check_method_check CHECK ((method = ANY (ARRAY['outside'::text, 'face_to_face'::text]))),
    CONSTRAINT identity_check_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'passed'::text, 'refused'::text]))),
    CONSTRAINT identity_check_tier_check CHECK (((tier >= 1) AND (tier <= 3)))
)
WITH (fillfactor='80');

COMMENT ON TABLE public.identity_check IS 'distributed by bucket: each attempt to prove who a person is, and what came of it';

COMMENT ON COLUMN public.identity_check.checks IS 'outside checks that this attempt passed';

COMMENT ON COLUMN public.identity_check.tier IS 'the person''s tier once it was answered; while it is pending, before it';

COMMENT ON COLUMN public.identity_check.name IS 'with document and evidence: what is claimed, sealed, until the answer';

COMMENT ON COLUMN public.identity_check.asked_at IS 'when the outside was last asked';

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
    bill_day smallint,
    due_day smallint,
    currency text NOT NULL COLLATE pg_catalog."C",
    product text NOT NULL,
    status text NOT NULL,
    lenders uuid[] NOT NULL,
    shares_ppm integer[] NOT NULL,
    auto_debit text[],
    temporary_limit_minor bigint,
    temporary_until_on date,
    ended_raise_minor bigint DEFAULT 0 NOT NULL,
    frozen_until_on date,
    looked_on date,
    charged_off_on date,
    charge_off_on date,
    tier text DEFAULT 'standard'::text NOT NULL,
    due_after_days smallint,
    earlier_limit_minor bigint,
    CONSTRAINT line_bill_day_check CHECK (((bill_day >= 1) AND (bill_day <= 31))),
    CONSTRAINT line_currency_check CHECK ((octet_length(currency) = 3)),
    CONSTRAINT line_days CHECK ((num_nonnulls(due_day, due_after_days) = num_nonnulls(bill_day))),
    CONSTRAINT line_due_after_days_check CHECK (((due_after_days >= 1) AND (due_after_days <= 27))),
    CONSTRAINT line_due_day_check CHECK (((due_day >= 1) AND (due_day <= 31))),
    CONSTRAINT line_ended_raise_minor_check CHECK ((ended_raise_minor >= 0)),
    CONSTRAINT line_has_lenders CHECK (((cardinality(lenders) > 0) AND (cardinality(lenders) = cardinality(shares_ppm)))),
    CONSTRAINT line_limit_minor_check CHECK ((limit_minor >= 0)),
    CONSTRAINT line_raise CHECK (((temporary_limit_minor IS NULL) = (temporary_until_on IS NULL))),
    CONSTRAINT line_status_check CHECK ((status = ANY (ARRAY['open'::text, 'frozen'::text, 'suspended'::text, 'closing'::text, 'closed'::text]))),
    CONSTRAINT line_thaw CHECK (((frozen_until_on IS NULL) OR (status = 'frozen'::text)))
)
WITH (fillfactor='80');

COMMENT ON TABLE public.line IS 'distributed by bucket: a person''s credit under one product; its balances are ledger accounts';

COMMENT ON COLUMN public.line.touched_on IS 'the value date of the last bill, repayment or refund: no later one may be dated before it';

COMMENT ON COLUMN public.line.next_bill_on IS 'the next bill that may have something on it; null: the day close need not look';

COMMENT ON COLUMN public.line.bill_day IS 'null: each draw has due dates of its own';

COMMENT ON COLUMN public.line.auto_debit IS 'ids of the wallet and bank accounts that bills are debited from, in the person''s order';

COMMENT ON COLUMN public.line.temporary_limit_minor IS 'the limit up to temporary_until_on, that date included; null: no raise runs';

COMMENT ON COLUMN public.line.ended_raise_minor IS 'by how much a raise that is over had lifted the limit: what is used of it is due with the bill after';

COMMENT ON COLUMN public.line.frozen_until_on IS 'from this date on it counts as unfrozen; null: until somebody says so';

COMMENT ON COLUMN public.line.looked_on IS 'the last date on which the day close looked whether it can be closed, or has something to pay out; null: changed since';

COMMENT ON COLUMN public.line.charged_off_on IS 'its loss was taken on that date: what comes in since is a recovery';

COMMENT ON COLUMN public.line.charge_off_on IS 'the date on which its loss is taken, if its arrears stay';

COMMENT ON COLUMN public.line.tier IS 'whose prices of its product its draws have; it stays for the life of the line';

COMMENT ON COLUMN public.line.due_after_days IS 'bills are due so many days after their date; null: on due_day';

COMMENT ON COLUMN public.line.earlier_limit_minor IS 'what is used up to it was allowed by a permanent limit that was lowered since; null: by limit_minor';

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
    amount_minor bigint,
    until_on date,
    due_day_was smallint,
    due_after_days_was smallint,
    seq bigint,
    CONSTRAINT line_change_actor_check CHECK ((actor = ANY (ARRAY['person'::text, 'staff'::text, 'system'::text]))),
    CONSTRAINT line_change_due_after_days_was_check CHECK (((due_after_days_was >= 1) AND (due_after_days_was <= 31))),
    CONSTRAINT line_change_due_day_was_check CHECK (((due_day_was >= 1) AND (due_day_was <= 31))),
    CONSTRAINT line_change_kind_check CHECK ((kind = ANY (ARRAY['opened'::text, 'limit_set'::text, 'raised'::text, 'raise_ended'::text, 'cap_set'::text, 'frozen'::text, 'unfrozen'::text, 'suspended'::text, 'restored'::text, 'due_day_set'::text, 'auto_debit_set'::text, 'closing'::text, 'closed'::text])))
);

COMMENT ON TABLE public.line_change IS 'distributed by bucket: the history of lines, who changed what and why';

COMMENT ON COLUMN public.line_change.amount_minor IS 'what was set, where it is not the limit: a temporary limit, a cap';

COMMENT ON COLUMN public.line_change.until_on IS 'the last date of a raise; the date that ends a freeze';

COMMENT ON COLUMN public.line_change.due_day_was IS 'the due day until a change of it; what was priced before followed it';

COMMENT ON COLUMN public.line_change.due_after_days_was IS 'the same of a line whose bills were due so many days after their date';

COMMENT ON COLUMN public.line_change.seq IS 'the bucket''s last number when it was made; null of those before this column: taken as the first of their day';

CREATE TABLE public.line_review (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    line_id uuid NOT NULL,
    application_id uuid,
    before_minor bigint NOT NULL,
    limit_minor bigint NOT NULL,
    score integer NOT NULL,
    reviewed_on date NOT NULL,
    outcome text NOT NULL,
    policy text NOT NULL,
    inputs json NOT NULL,
    decision json NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT line_review_outcome_check CHECK ((outcome = ANY (ARRAY['offered'::text, 'kept'::text, 'lowered'::text])))
);

COMMENT ON TABLE public.line_review IS 'distributed by bucket: monthly reviews of lines, what was looked at and what came of it; never changed';

COMMENT ON COLUMN public.line_review.application_id IS 'the application that offers a higher limit';

CREATE TABLE public.merchant (
    id uuid NOT NULL,
    book smallint NOT NULL,
    name text NOT NULL,
    scene text NOT NULL,
    fee_rate_ppm integer NOT NULL,
    status text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    return_origins text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT merchant_check CHECK (((status = 'closed'::text) = (closed_at IS NOT NULL))),
    CONSTRAINT merchant_fee_rate_ppm_check CHECK (((fee_rate_ppm >= 0) AND (fee_rate_ppm <= 1000000))),
    CONSTRAINT merchant_status_check CHECK ((status = ANY (ARRAY['active'::text, 'closed'::text])))
);

COMMENT ON TABLE public.merchant IS 'reference table: who sells';

COMMENT ON COLUMN public.merchant.fee_rate_ppm IS 'millionths of a payment that the merchant pays';

COMMENT ON COLUMN public.merchant.return_origins IS 'where its checkouts may send people back to; none: anywhere by https';

CREATE TABLE public.merchant_code (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    label text NOT NULL,
    subject text,
    amount_minor bigint,
    closed_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT merchant_code_amount_minor_check CHECK ((amount_minor > 0))
);

COMMENT ON TABLE public.merchant_code IS 'distributed by bucket (of the merchant''s slot): codes that hang at tills';

COMMENT ON COLUMN public.merchant_code.amount_minor IS 'what everybody pays; null: whoever pays keys it in';

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
    channel text DEFAULT 'app'::text NOT NULL,
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

COMMENT ON COLUMN public.merchant_order.channel IS 'how payer and payee meet over this order: app, checkout, static_code, dynamic_code, link';

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
    CONSTRAINT one_time_code_purpose_check CHECK ((purpose = ANY (ARRAY['sign_in'::text, 'pin'::text, 'payment'::text, 'passkey'::text, 'phone'::text, 'freeze'::text]))),
    CONSTRAINT one_time_code_sends_check CHECK (((sends >= 1) AND (sends <= 5))),
    CONSTRAINT one_time_code_tries_check CHECK (((tries >= 0) AND (tries <= 5)))
)
WITH (fillfactor='70');

COMMENT ON TABLE public.one_time_code IS 'distributed by bucket (of the phone''s hash): the last code sent, for known and unknown phones alike';

COMMENT ON COLUMN public.one_time_code.window_at IS 'when the hour began in which sends are counted';

CREATE TABLE public.openid_return (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    returned_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.openid_return IS 'distributed by bucket: sign-ins that have come back from their provider, each once';

CREATE TABLE public.passkey (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    credential_id bytea NOT NULL,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL,
    name text NOT NULL,
    device_id uuid,
    status text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT passkey_sign_count_check CHECK ((sign_count >= 0)),
    CONSTRAINT passkey_status_check CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text, 'deleted'::text])))
)
WITH (fillfactor='70');

COMMENT ON TABLE public.passkey IS 'distributed by bucket: public keys that people sign in and confirm with';

COMMENT ON COLUMN public.passkey.public_key IS 'COSE key; nothing here is secret';

COMMENT ON COLUMN public.passkey.sign_count IS 'what the authenticator last counted; one that does not grow has been copied';

COMMENT ON COLUMN public.passkey.device_id IS 'the device that alone holds it, and with which it ends; null: it is synced, or a key of its own';

CREATE TABLE public.passkey_challenge (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    purpose text NOT NULL,
    person_id uuid,
    digest bytea,
    challenge bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT passkey_challenge_check CHECK (((purpose = 'sign_in'::text) = (person_id IS NULL))),
    CONSTRAINT passkey_challenge_check1 CHECK (((purpose = 'confirm'::text) = (digest IS NOT NULL))),
    CONSTRAINT passkey_challenge_purpose_check CHECK ((purpose = ANY (ARRAY['register'::text, 'sign_in'::text, 'confirm'::text])))
)
WITH (fillfactor='80');

COMMENT ON TABLE public.passkey_challenge IS 'distributed by bucket: what a passkey is asked to sign, once and within minutes';

COMMENT ON COLUMN public.passkey_challenge.person_id IS 'whose passkey is to answer; null: whoever signs in';

COMMENT ON COLUMN public.passkey_challenge.digest IS 'of the request that is confirmed: the answer is good for nothing else';

CREATE TABLE public.pay_choice (
    bucket smallint NOT NULL,
    device_id uuid NOT NULL,
    person_id uuid NOT NULL,
    handle_name uuid,
    use_wallet boolean NOT NULL,
    line_id uuid,
    tenor smallint NOT NULL,
    chosen_at timestamp with time zone NOT NULL,
    stopped_at timestamp with time zone,
    CONSTRAINT pay_choice_check CHECK ((use_wallet OR (line_id IS NOT NULL))),
    CONSTRAINT pay_choice_tenor_check CHECK (((tenor >= 1) AND (tenor <= 60)))
)
WITH (fillfactor='80');

COMMENT ON TABLE public.pay_choice IS 'distributed by bucket: what the codes of a person''s device pay with';

COMMENT ON COLUMN public.pay_choice.handle_name IS 'keyed hash of the handle of the codes that it makes without a connection; null: it makes none';

COMMENT ON COLUMN public.pay_choice.stopped_at IS 'codes made until then are dead';

CREATE TABLE public.pay_code (
    bucket smallint NOT NULL,
    name uuid NOT NULL,
    person_id uuid NOT NULL,
    device_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.pay_code IS 'distributed by bucket (of the code''s hash): codes made here, for two minutes';

COMMENT ON COLUMN public.pay_code.name IS 'keyed hash of the digits';

CREATE TABLE public.pay_code_miss (
    bucket smallint NOT NULL,
    name uuid NOT NULL,
    window_at timestamp with time zone NOT NULL,
    misses integer NOT NULL
)
WITH (fillfactor='70');

COMMENT ON TABLE public.pay_code_miss IS 'distributed by bucket (of the name''s hash): how often a shop or an address showed a code that was not accepted';

CREATE TABLE public.pay_code_use (
    bucket smallint NOT NULL,
    code_id uuid NOT NULL,
    payment_id uuid NOT NULL,
    used_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.pay_code_use IS 'distributed by bucket (of the payer): pay codes that were used, each once; old ones are forgotten';

COMMENT ON COLUMN public.pay_code_use.payment_id IS 'the payment or ride that used it';

CREATE TABLE public.pay_handle (
    bucket smallint NOT NULL,
    name uuid NOT NULL,
    person_id uuid NOT NULL,
    device_id uuid NOT NULL,
    secret bytea NOT NULL,
    tries smallint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT pay_handle_tries_check CHECK (((tries >= 0) AND (tries <= 5)))
)
WITH (fillfactor='90');

COMMENT ON TABLE public.pay_handle IS 'distributed by bucket (of the handle''s hash): whose phone makes codes under a handle';

COMMENT ON COLUMN public.pay_handle.name IS 'keyed hash of the nine digits';

COMMENT ON COLUMN public.pay_handle.secret IS 'what its one-time passwords are made from, sealed';

COMMENT ON COLUMN public.pay_handle.tries IS 'wrong passwords since the last right one; at 5 the handle is dead';

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
    campaign_id uuid,
    campaign_minor bigint DEFAULT 0 NOT NULL,
    campaign_held_minor bigint DEFAULT 0 NOT NULL,
    channel text DEFAULT 'app'::text NOT NULL,
    needs text,
    spender_id uuid,
    funding_wallet_minor bigint,
    CONSTRAINT payment_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT payment_campaign_held_minor_check CHECK ((campaign_held_minor >= 0)),
    CONSTRAINT payment_campaign_minor_check CHECK ((campaign_minor >= 0)),
    CONSTRAINT payment_capture_check CHECK ((capture = ANY (ARRAY['now'::text, 'later'::text]))),
    CONSTRAINT payment_check CHECK (((captured_minor >= 0) AND (captured_minor <= amount_minor))),
    CONSTRAINT payment_check1 CHECK (((refunded_minor >= 0) AND (refunded_minor <= captured_minor))),
    CONSTRAINT payment_check2 CHECK (((status <> ALL (ARRAY['authorised'::text, 'captured'::text])) OR (decision_id IS NOT NULL))),
    CONSTRAINT payment_check3 CHECK (((funding_wallet_minor >= 0) AND (funding_wallet_minor <= amount_minor))),
    CONSTRAINT payment_credit_minor_check CHECK ((credit_minor >= 0)),
    CONSTRAINT payment_status_check CHECK ((status = ANY (ARRAY['requires_action'::text, 'pending'::text, 'authorised'::text, 'captured'::text, 'declined'::text, 'voided'::text, 'expired'::text, 'failed'::text]))),
    CONSTRAINT payment_wallet_minor_check CHECK ((wallet_minor >= 0))
)
WITH (fillfactor='85');

COMMENT ON TABLE public.payment IS 'distributed by bucket: one attempt to pay an order';

COMMENT ON COLUMN public.payment.fee_minor IS 'the merchant''s fee on what is captured, refunds not taken off';

COMMENT ON COLUMN public.payment.campaign_id IS 'the campaign whose share of the price it has';

COMMENT ON COLUMN public.payment.campaign_minor IS 'of its budget, what was captured with it, less what refunds gave back';

COMMENT ON COLUMN public.payment.campaign_held_minor IS 'of its budget, what is kept for the amount still to be captured';

COMMENT ON COLUMN public.payment.channel IS 'how payer and payee met: its order''s, or the pay code that was shown';

COMMENT ON COLUMN public.payment.needs IS 'while it waits for its payer: the weakest confirmation that will do';

COMMENT ON COLUMN public.payment.spender_id IS 'who pays with a family card of the payer''s; null: the payer';

COMMENT ON COLUMN public.payment.funding_wallet_minor IS 'the wallet''s part as a quote''s option showed it, the rest is drawn; null: as far as the wallet goes';

CREATE TABLE public.payment_link (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    subject text NOT NULL,
    uses_max smallint NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT payment_link_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT payment_link_uses_max_check CHECK (((uses_max >= 1) AND (uses_max <= 100)))
);

COMMENT ON TABLE public.payment_link IS 'distributed by bucket (of the merchant''s slot): links that are sent in chats';

COMMENT ON COLUMN public.payment_link.uses_max IS 'how many orders of it may be paid';

CREATE TABLE public.payment_link_use (
    bucket smallint NOT NULL,
    link_id uuid NOT NULL,
    number smallint NOT NULL,
    order_id uuid NOT NULL,
    person_id uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.payment_link_use IS 'distributed by bucket (of the link): the order that each use of a link has now';

COMMENT ON COLUMN public.payment_link_use.person_id IS 'who asked for the order; whoever has the link may pay it';

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

CREATE TABLE public.payment_sum (
    bucket smallint NOT NULL,
    person_id uuid NOT NULL,
    day_on integer NOT NULL,
    year smallint NOT NULL,
    balance_minor bigint NOT NULL,
    balance_year_minor bigint NOT NULL,
    balance_few_minor bigint NOT NULL,
    balance_two_minor bigint NOT NULL,
    static_minor bigint NOT NULL,
    code_few_minor bigint NOT NULL,
    code_two_minor bigint NOT NULL,
    offline_minor bigint NOT NULL,
    CONSTRAINT payment_sum_balance_few_minor_check CHECK ((balance_few_minor >= 0)),
    CONSTRAINT payment_sum_balance_minor_check CHECK ((balance_minor >= 0)),
    CONSTRAINT payment_sum_balance_two_minor_check CHECK ((balance_two_minor >= 0)),
    CONSTRAINT payment_sum_balance_year_minor_check CHECK ((balance_year_minor >= 0)),
    CONSTRAINT payment_sum_code_few_minor_check CHECK ((code_few_minor >= 0)),
    CONSTRAINT payment_sum_code_two_minor_check CHECK ((code_two_minor >= 0)),
    CONSTRAINT payment_sum_offline_minor_check CHECK ((offline_minor >= 0)),
    CONSTRAINT payment_sum_static_minor_check CHECK ((static_minor >= 0))
)
WITH (fillfactor='60');

COMMENT ON TABLE public.payment_sum IS 'distributed by bucket: what a person has paid by balance and by code, for the limits of the law';

COMMENT ON COLUMN public.payment_sum.day_on IS 'business date of the day''s sums, as a proleptic ordinal';

CREATE TABLE public.person (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    wallet_id uuid NOT NULL,
    status text NOT NULL,
    tier smallint NOT NULL,
    outcome text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    cooling_until timestamp with time zone,
    CONSTRAINT person_outcome_check CHECK ((outcome = ANY (ARRAY['none'::text, 'always_declined'::text, 'step_up'::text, 'review'::text, 'late_payer'::text, 'verification_refused'::text, 'needs_passkey'::text, 'cooling'::text, 'takeover'::text, 'document_taken'::text]))),
    CONSTRAINT person_status_check CHECK ((status = ANY (ARRAY['active'::text, 'frozen'::text, 'erased'::text]))),
    CONSTRAINT person_tier_check CHECK (((tier >= 1) AND (tier <= 3)))
)
WITH (fillfactor='80');

COMMENT ON TABLE public.person IS 'distributed by bucket: the row that every money command locks; narrow, since each lock dirties its page';

COMMENT ON COLUMN public.person.outcome IS 'how a test person behaves; always none in a live book';

COMMENT ON COLUMN public.person.cooling_until IS 'until when low limits hold after phone and number have changed';

CREATE TABLE public.personal_data (
    bucket smallint NOT NULL,
    person_id uuid NOT NULL,
    sealed_key bytea NOT NULL,
    phone_name uuid NOT NULL,
    phone bytea NOT NULL,
    external_id bytea,
    name bytea,
    document bytea,
    phone_changed_at timestamp with time zone
);

COMMENT ON TABLE public.personal_data IS 'distributed by bucket: sealed under the person''s own key; erasure deletes the row, and with it the key';

COMMENT ON COLUMN public.personal_data.sealed_key IS 'the person''s key, sealed by the master key, which is not in the database';

COMMENT ON COLUMN public.personal_data.phone_name IS 'keyed hash of the phone: names its claim and its one-time codes';

COMMENT ON COLUMN public.personal_data.phone_changed_at IS 'when the number was last changed; null: it is the first one';

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
    reason_code text DEFAULT 'other'::text NOT NULL,
    charges_returned_minor bigint DEFAULT 0 NOT NULL,
    value_on date,
    CONSTRAINT refund_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT refund_charges_returned_minor_check CHECK ((charges_returned_minor >= 0)),
    CONSTRAINT refund_check CHECK ((wallet_minor <= amount_minor)),
    CONSTRAINT refund_check1 CHECK (((status = 'posted'::text) = (posted_at IS NOT NULL))),
    CONSTRAINT refund_fee_returned_minor_check CHECK ((fee_returned_minor >= 0)),
    CONSTRAINT refund_reason_code_check CHECK ((reason_code = ANY (ARRAY['changed_mind'::text, 'not_received'::text, 'faulty'::text, 'not_as_described'::text, 'duplicate'::text, 'other'::text, 'undone'::text]))),
    CONSTRAINT refund_refund_no_check CHECK (((length(refund_no) >= 1) AND (length(refund_no) <= 64))),
    CONSTRAINT refund_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'posted'::text, 'failed'::text]))),
    CONSTRAINT refund_wallet_minor_check CHECK ((wallet_minor >= 0))
);

COMMENT ON TABLE public.refund IS 'distributed by bucket: money given back after capture';

COMMENT ON COLUMN public.refund.effects IS 'what it did, as the API shows it (JSON)';

COMMENT ON COLUMN public.refund.returns IS 'what went to banks, and what they said (JSON)';

COMMENT ON COLUMN public.refund.reason_code IS 'why, as a machine reads it: whose fault it is follows from it';

COMMENT ON COLUMN public.refund.charges_returned_minor IS 'fees of instalments that the payer had paid and got back beside the amount, at the cost of the lenders';

COMMENT ON COLUMN public.refund.value_on IS 'the date from which it counts; null: the day it was made';

CREATE TABLE public.reminder (
    bucket smallint NOT NULL,
    bill_id uuid NOT NULL,
    reminded_on date NOT NULL
)
WITH (fillfactor='80');

COMMENT ON TABLE public.reminder IS 'distributed by bucket: the last date on which somebody was reminded of a bill';

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
    charges_minor bigint DEFAULT 0 NOT NULL,
    returned_later_minor bigint DEFAULT 0 NOT NULL,
    asked_seq bigint,
    CONSTRAINT repayment_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT repayment_charges_minor_check CHECK ((charges_minor >= 0)),
    CONSTRAINT repayment_posted CHECK (((status = ANY (ARRAY['posted'::text, 'reversed'::text])) = (posted_on IS NOT NULL))),
    CONSTRAINT repayment_returned CHECK (((returned_minor >= 0) AND (returned_minor <= amount_minor))),
    CONSTRAINT repayment_source CHECK (((source = 'external'::text) = (source_id IS NULL))),
    CONSTRAINT repayment_source_check CHECK ((source = ANY (ARRAY['wallet'::text, 'bank_account'::text, 'external'::text]))),
    CONSTRAINT repayment_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'posted'::text, 'failed'::text, 'reversed'::text])))
)
WITH (fillfactor='85');

COMMENT ON TABLE public.repayment IS 'distributed by bucket: money in, and what it paid';

COMMENT ON COLUMN public.repayment.returned_minor IS 'principal that refunds have given back to its source';

COMMENT ON COLUMN public.repayment.value_on IS 'the date it counts from: interest ends there, whenever the bank answered';

COMMENT ON COLUMN public.repayment.reason IS 'why it failed or was reversed';

COMMENT ON COLUMN public.repayment.charges_minor IS 'of it, fees and interest; refunds give back no more than this and the principal';

COMMENT ON COLUMN public.repayment.returned_later_minor IS 'of returned_minor: what refunds sent that count from before it, so that it no longer pays that';

COMMENT ON COLUMN public.repayment.asked_seq IS 'the bucket''s last number when its bank was asked: what is booked late stands after that on its date; null: nobody asked, it was booked on its day, or it is older than this column';

CREATE TABLE public.ride (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    charge_id uuid CONSTRAINT ride_charge_id_not_null1 NOT NULL,
    payer_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    ride_no text NOT NULL,
    fare_minor bigint NOT NULL,
    due_minor bigint NOT NULL,
    code_id uuid NOT NULL,
    device_id uuid,
    business_on date NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT ride_check CHECK (((due_minor >= 0) AND (due_minor <= fare_minor))),
    CONSTRAINT ride_fare_minor_check CHECK ((fare_minor > 0))
);

COMMENT ON TABLE public.ride IS 'distributed by bucket (of the payer): one tap at a gate';

COMMENT ON COLUMN public.ride.due_minor IS 'of the fare, what the day cap left to pay';

CREATE TABLE public.ride_charge (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    payer_id uuid NOT NULL,
    merchant_id uuid NOT NULL,
    business_on date NOT NULL,
    rides integer NOT NULL,
    fares_minor bigint NOT NULL,
    due_minor bigint NOT NULL,
    day_cap_minor bigint NOT NULL,
    use_wallet boolean NOT NULL,
    line_id uuid,
    tenor smallint DEFAULT 1 NOT NULL,
    status text NOT NULL,
    payment_id uuid,
    order_id uuid,
    tries smallint DEFAULT 0 NOT NULL,
    tried_on date,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT ride_charge_check CHECK (((due_minor >= 0) AND (due_minor <= fares_minor))),
    CONSTRAINT ride_charge_check1 CHECK (((status = 'open'::text) = (tries = 0))),
    CONSTRAINT ride_charge_day_cap_minor_check CHECK ((day_cap_minor > 0)),
    CONSTRAINT ride_charge_fares_minor_check CHECK ((fares_minor > 0)),
    CONSTRAINT ride_charge_rides_check CHECK ((rides > 0)),
    CONSTRAINT ride_charge_status_check CHECK ((status = ANY (ARRAY['open'::text, 'pending'::text, 'unpaid'::text, 'charged'::text, 'waived'::text])))
)
WITH (fillfactor='70');

COMMENT ON TABLE public.ride_charge IS 'distributed by bucket (of the payer): rides of a person with a merchant on a business date, paid in one payment';

COMMENT ON COLUMN public.ride_charge.due_minor IS 'of the fares, what the day cap leaves to pay';

COMMENT ON COLUMN public.ride_charge.tries IS 'how often a payment of it was tried; the last one is payment_id''s';

CREATE TABLE public.ride_terms (
    merchant_id uuid NOT NULL,
    book smallint NOT NULL,
    day_cap_minor bigint NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT ride_terms_day_cap_minor_check CHECK ((day_cap_minor > 0))
);

COMMENT ON TABLE public.ride_terms IS 'reference table: the most that a merchant''s rides of a business date cost one person';

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
    revoked_at timestamp with time zone,
    device_id uuid,
    passkey_at timestamp with time zone
);

COMMENT ON TABLE public.session IS 'distributed by bucket: a signed-in device; the id carries the person''s slot';

COMMENT ON COLUMN public.session.pin_at IS 'when the person last proved the PIN in this session or the one it was rotated from';

COMMENT ON COLUMN public.session.device_id IS 'the device that signed in; null: a session older than devices';

COMMENT ON COLUMN public.session.passkey_at IS 'when the person last proved a passkey in this session or the one it was rotated from';

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

CREATE TABLE public.shipment (
    bucket smallint NOT NULL,
    order_id uuid NOT NULL,
    payer_id uuid NOT NULL,
    confirm_on date NOT NULL
);

COMMENT ON TABLE public.shipment IS 'distributed by bucket: shipped orders whose receipt nobody has confirmed yet; homed with the order';

COMMENT ON COLUMN public.shipment.confirm_on IS 'the date on which the receipt counts as confirmed';

CREATE VIEW public.signed_in_device AS
 SELECT s.bucket,
    s.device_id,
    s.person_id,
    s.expires_at
   FROM ((public.session s
     JOIN public.device d ON (((d.bucket = s.bucket) AND (d.id = s.device_id) AND (d.person_id = s.person_id))))
     JOIN public.person p ON (((p.bucket = s.bucket) AND (p.id = s.person_id))))
  WHERE ((s.revoked_at IS NULL) AND (d.revoked_at IS NULL) AND (p.status = 'active'::text));

COMMENT ON VIEW public.signed_in_device IS 'identity''s answer to whose devices may act: not revoked, signed in, the person active';

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

CREATE TABLE public.try_count (
    bucket smallint NOT NULL,
    id uuid NOT NULL,
    taken integer NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    CONSTRAINT try_count_taken_check CHECK ((taken >= 0))
)
WITH (fillfactor='60');

COMMENT ON TABLE public.try_count IS 'distributed by bucket (of its id): how often something was tried from one place within a window';

COMMENT ON COLUMN public.try_count.id IS 'keyed hash of what is counted: an address, a device, one PIN over many people';

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

ALTER TABLE ONLY public.accrual_close
    ADD CONSTRAINT accrual_close_pkey PRIMARY KEY (bucket, product, product_version, business_on);

ALTER TABLE ONLY public.accrual_ledger
    ADD CONSTRAINT accrual_ledger_pkey PRIMARY KEY (bucket, product, product_version);

ALTER TABLE ONLY public.accrual
    ADD CONSTRAINT accrual_pkey PRIMARY KEY (bucket, product, product_version, business_on);

ALTER TABLE ONLY public.accrual_read
    ADD CONSTRAINT accrual_read_pkey PRIMARY KEY (bucket);

ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.application_consent
    ADD CONSTRAINT application_consent_pkey PRIMARY KEY (bucket, application_id, purpose);

ALTER TABLE ONLY public.application
    ADD CONSTRAINT application_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.application_policy
    ADD CONSTRAINT application_policy_pkey PRIMARY KEY (name);

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

ALTER TABLE ONLY public.campaign
    ADD CONSTRAINT campaign_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.campaign_slice
    ADD CONSTRAINT campaign_slice_pkey PRIMARY KEY (bucket, campaign_id);

ALTER TABLE ONLY public.charge_off
    ADD CONSTRAINT charge_off_pkey PRIMARY KEY (bucket, line_id);

ALTER TABLE ONLY public.checkout_session
    ADD CONSTRAINT checkout_session_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.close_run
    ADD CONSTRAINT close_run_pkey PRIMARY KEY (bucket, business_on, step);

ALTER TABLE ONLY public.consent_withdrawal
    ADD CONSTRAINT consent_withdrawal_pkey PRIMARY KEY (bucket, application_id, purpose);

ALTER TABLE ONLY public.credit_cap
    ADD CONSTRAINT credit_cap_pkey PRIMARY KEY (bucket, person_id);

ALTER TABLE ONLY public.cursor
    ADD CONSTRAINT cursor_pkey PRIMARY KEY (bucket, follower);

ALTER TABLE ONLY public.debit
    ADD CONSTRAINT debit_pkey PRIMARY KEY (bucket, repayment_id);

ALTER TABLE ONLY public.debit_try
    ADD CONSTRAINT debit_try_pkey PRIMARY KEY (bucket, line_id);

ALTER TABLE ONLY public.decision
    ADD CONSTRAINT decision_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.delivery_attempt
    ADD CONSTRAINT delivery_attempt_pkey PRIMARY KEY (bucket, delivery_id, number);

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.draw
    ADD CONSTRAINT draw_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.draw_refund
    ADD CONSTRAINT draw_refund_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (bucket, seq);

ALTER TABLE ONLY public.family_card
    ADD CONSTRAINT family_card_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.family_use
    ADD CONSTRAINT family_use_pkey PRIMARY KEY (bucket, payment_id);

ALTER TABLE ONLY public.feature
    ADD CONSTRAINT feature_pkey PRIMARY KEY (bucket, person_id);

ALTER TABLE ONLY public.folded_account
    ADD CONSTRAINT folded_account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.folded_balance
    ADD CONSTRAINT folded_balance_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.friend_link
    ADD CONSTRAINT friend_link_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.head
    ADD CONSTRAINT head_pkey PRIMARY KEY (bucket);

ALTER TABLE ONLY public.hold
    ADD CONSTRAINT hold_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.identity_check
    ADD CONSTRAINT identity_check_pkey PRIMARY KEY (bucket, id);

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

ALTER TABLE ONLY public.line_review
    ADD CONSTRAINT line_review_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.merchant_code
    ADD CONSTRAINT merchant_code_pkey PRIMARY KEY (bucket, id);

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

ALTER TABLE ONLY public.openid_return
    ADD CONSTRAINT openid_return_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.passkey_challenge
    ADD CONSTRAINT passkey_challenge_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.passkey
    ADD CONSTRAINT passkey_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.pay_choice
    ADD CONSTRAINT pay_choice_pkey PRIMARY KEY (bucket, device_id);

ALTER TABLE ONLY public.pay_code_miss
    ADD CONSTRAINT pay_code_miss_pkey PRIMARY KEY (bucket, name);

ALTER TABLE ONLY public.pay_code
    ADD CONSTRAINT pay_code_pkey PRIMARY KEY (bucket, name);

ALTER TABLE ONLY public.pay_code_use
    ADD CONSTRAINT pay_code_use_pkey PRIMARY KEY (bucket, code_id);

ALTER TABLE ONLY public.pay_handle
    ADD CONSTRAINT pay_handle_pkey PRIMARY KEY (bucket, name);

ALTER TABLE ONLY public.payment_link
    ADD CONSTRAINT payment_link_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.payment_link_use
    ADD CONSTRAINT payment_link_use_pkey PRIMARY KEY (bucket, link_id, number);

ALTER TABLE ONLY public.payment_pin
    ADD CONSTRAINT payment_pin_pkey PRIMARY KEY (bucket, person_id);

ALTER TABLE ONLY public.payment
    ADD CONSTRAINT payment_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.payment_sum
    ADD CONSTRAINT payment_sum_pkey PRIMARY KEY (bucket, person_id);

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

ALTER TABLE ONLY public.reminder
    ADD CONSTRAINT reminder_pkey PRIMARY KEY (bucket, bill_id);

ALTER TABLE ONLY public.repayment
    ADD CONSTRAINT repayment_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.ride
    ADD CONSTRAINT ride_bucket_payer_id_merchant_id_ride_no_key UNIQUE (bucket, payer_id, merchant_id, ride_no);

ALTER TABLE ONLY public.ride_charge
    ADD CONSTRAINT ride_charge_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.ride
    ADD CONSTRAINT ride_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.ride_terms
    ADD CONSTRAINT ride_terms_pkey PRIMARY KEY (merchant_id);

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

ALTER TABLE ONLY public.shipment
    ADD CONSTRAINT shipment_pkey PRIMARY KEY (bucket, order_id);

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

ALTER TABLE ONLY public.try_count
    ADD CONSTRAINT try_count_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.verification
    ADD CONSTRAINT verification_pkey PRIMARY KEY (book, at);

ALTER TABLE ONLY public.wallet_movement
    ADD CONSTRAINT wallet_movement_pkey PRIMARY KEY (bucket, id);

ALTER TABLE ONLY public.webhook_endpoint
    ADD CONSTRAINT webhook_endpoint_pkey PRIMARY KEY (id);

CREATE INDEX api_key_by_owner ON public.api_key USING btree (owner_id, id);

CREATE INDEX application_of_line ON public.application USING btree (bucket, line_id, id) WHERE (line_id IS NOT NULL);

CREATE INDEX application_of_person ON public.application USING btree (bucket, person_id, id);

CREATE UNIQUE INDEX application_open ON public.application USING btree (bucket, person_id, product, kind, COALESCE(line_id, '00000000-0000-0000-0000-000000000000'::uuid)) WHERE (status = ANY (ARRAY['checking'::text, 'offered'::text, 'referred'::text]));

CREATE INDEX application_referred ON public.application USING btree (bucket, id) WHERE (status = 'referred'::text);

CREATE INDEX application_to_lapse ON public.application USING btree (bucket, expires_at) WHERE (status = ANY (ARRAY['offered'::text, 'referred'::text]));

CREATE INDEX application_to_review ON public.application USING btree (bucket, review_on, id) WHERE (review_on IS NOT NULL);

CREATE INDEX audit_entry_by_object ON public.audit_entry USING btree (bucket, object_id, id);

CREATE UNIQUE INDEX bank_account_once ON public.bank_account USING btree (bucket, person_id, number_name) WHERE (status <> 'deleted'::text);

CREATE INDEX bank_account_unverified ON public.bank_account USING btree (bucket, id) WHERE (status = 'unverified'::text);

CREATE INDEX bank_instruction_due ON public.bank_instruction USING btree (bucket, next_at) WHERE (status = ANY (ARRAY['new'::text, 'sent'::text]));

CREATE INDEX bill_due ON public.bill USING btree (bucket, due_on, line_id) WHERE (NOT settled);

CREATE UNIQUE INDEX bill_of_line ON public.bill USING btree (bucket, line_id, issued_on);

CREATE INDEX bill_to_wake ON public.bill USING btree (bucket, wake_on, line_id) WHERE (wake_on IS NOT NULL);

CREATE INDEX bill_unsettled ON public.bill USING btree (bucket, line_id) WHERE (NOT settled);

CREATE INDEX campaign_by_merchant ON public.campaign USING btree (book, merchant_id, id);

CREATE INDEX checkout_session_of_order ON public.checkout_session USING btree (bucket, order_id, created_at);

CREATE INDEX consent_withdrawal_of_line ON public.consent_withdrawal USING btree (bucket, line_id) WHERE (line_id IS NOT NULL);

CREATE INDEX delivery_by_age ON public.delivery USING brin (created_at);

CREATE INDEX delivery_by_endpoint ON public.delivery USING btree (bucket, endpoint_id, created_at, id);

CREATE INDEX delivery_due ON public.delivery USING btree (bucket, endpoint_id, due_at) WHERE (status = 'waiting'::text);

CREATE INDEX delivery_in_order ON public.delivery USING btree (bucket, endpoint_id, object_id, event_seq, event_index) WHERE (status = 'waiting'::text);

CREATE INDEX device_by_person ON public.device USING btree (bucket, person_id) WHERE (revoked_at IS NULL);

CREATE INDEX draw_refund_of_line ON public.draw_refund USING btree (bucket, line_id, id);

CREATE INDEX draw_to_bill ON public.draw USING btree (bucket, line_id) WHERE ((unbilled_minor > 0) OR charges_open);

CREATE INDEX event_by_merchant ON public.event USING btree (bucket, merchant_id, seq) WHERE (merchant_id IS NOT NULL);

CREATE INDEX family_card_by_owner ON public.family_card USING btree (bucket, owner_id, id);

CREATE INDEX family_card_by_phone ON public.family_card USING btree (bucket, spender_phone_id) WHERE (spender_id IS NULL);

CREATE INDEX family_card_by_spender ON public.family_card USING btree (bucket, spender_id) WHERE (spender_id IS NOT NULL);

CREATE INDEX family_use_by_card ON public.family_use USING btree (bucket, card_id, payment_id);

CREATE INDEX folded_account_by_owner ON public.folded_account USING btree (owner);

CREATE INDEX friend_link_by_order ON public.friend_link USING btree (bucket, order_id, asker_id);

CREATE INDEX identity_check_by_person ON public.identity_check USING btree (bucket, person_id, id);

CREATE INDEX identity_check_pending ON public.identity_check USING btree (bucket, asked_at) WHERE (status = 'pending'::text);

CREATE INDEX journal_of ON public.journal USING btree (bucket, of);

CREATE INDEX journal_of_account ON public.journal USING gin ((accounts[1:guarded])) WITH (fastupdate=off);

CREATE UNIQUE INDEX journal_reversed_once ON public.journal USING btree (bucket, reverses) WHERE (reverses IS NOT NULL);

CREATE INDEX key_claim_by_age ON public.key_claim USING brin (created_at);

CREATE INDEX line_change_of_line ON public.line_change USING btree (bucket, line_id, id);

CREATE INDEX line_of_person ON public.line USING btree (bucket, person_id, id);

CREATE UNIQUE INDEX line_review_of_line ON public.line_review USING btree (bucket, line_id, reviewed_on);

CREATE INDEX line_to_bill ON public.line USING btree (bucket, next_bill_on, id) WHERE (next_bill_on IS NOT NULL);

CREATE INDEX line_to_charge_off ON public.line USING btree (bucket, charge_off_on, id) WHERE (charge_off_on IS NOT NULL);

CREATE INDEX line_to_end ON public.line USING btree (bucket, id) WHERE ((temporary_until_on IS NOT NULL) OR (frozen_until_on IS NOT NULL) OR (status = 'closing'::text) OR ((status = 'closed'::text) AND (looked_on IS NULL)));

CREATE INDEX line_to_suspend ON public.line USING btree (bucket, suspend_on, id) WHERE (suspend_on IS NOT NULL);

CREATE INDEX merchant_code_by_merchant ON public.merchant_code USING btree (bucket, merchant_id, id);

CREATE INDEX merchant_order_by_expiry ON public.merchant_order USING btree (bucket, expires_at) WHERE (state = 'open'::text);

CREATE INDEX merchant_order_by_merchant ON public.merchant_order USING btree (bucket, merchant_id, created_at);

CREATE INDEX message_by_phone ON public.message USING btree (bucket, phone_name, number);

CREATE INDEX openid_return_by_age ON public.openid_return USING btree (bucket, returned_at);

CREATE INDEX passkey_challenge_by_expiry ON public.passkey_challenge USING btree (bucket, expires_at);

CREATE UNIQUE INDEX passkey_once ON public.passkey USING btree (bucket, person_id, credential_id) WHERE (status <> 'deleted'::text);

CREATE INDEX pay_code_by_expiry ON public.pay_code USING btree (bucket, expires_at);

CREATE INDEX pay_code_miss_by_age ON public.pay_code_miss USING btree (bucket, window_at);

CREATE INDEX pay_code_use_by_time ON public.pay_code_use USING btree (bucket, used_at);

CREATE INDEX payment_by_expiry ON public.payment USING btree (bucket, expires_at) WHERE (status = ANY (ARRAY['requires_action'::text, 'pending'::text, 'authorised'::text]));

CREATE INDEX payment_by_merchant ON public.payment USING btree (bucket, merchant_id, id);

CREATE INDEX payment_by_payer ON public.payment USING btree (bucket, payer_id, id);

CREATE INDEX payment_link_by_merchant ON public.payment_link USING btree (bucket, merchant_id, id);

CREATE UNIQUE INDEX person_by_wallet ON public.person USING btree (bucket, wallet_id);

CREATE INDEX refund_by_merchant ON public.refund USING btree (bucket, merchant_id, id);

CREATE INDEX repayment_of_line ON public.repayment USING btree (bucket, line_id, id);

CREATE INDEX repayment_pending ON public.repayment USING btree (bucket, id) WHERE (status = 'pending'::text);

CREATE INDEX ride_by_merchant ON public.ride USING btree (bucket, merchant_id, id);

CREATE INDEX ride_by_payer ON public.ride USING btree (bucket, payer_id, id);

CREATE INDEX ride_charge_by_payer ON public.ride_charge USING btree (bucket, payer_id, id);

CREATE INDEX ride_charge_due ON public.ride_charge USING btree (bucket, business_on) WHERE (status = ANY (ARRAY['open'::text, 'pending'::text, 'unpaid'::text]));

CREATE UNIQUE INDEX ride_charge_open ON public.ride_charge USING btree (bucket, payer_id, merchant_id, business_on) WHERE (status = 'open'::text);

CREATE INDEX risk_list_member_by_member ON public.risk_list_member USING btree (member_id);

CREATE INDEX session_by_device ON public.session USING btree (bucket, device_id) WHERE (revoked_at IS NULL);

CREATE INDEX session_by_person ON public.session USING btree (bucket, person_id) WHERE (revoked_at IS NULL);

CREATE INDEX shipment_to_confirm ON public.shipment USING btree (bucket, confirm_on, order_id);

CREATE INDEX staff_session_by_staff ON public.staff_session USING btree (staff_id) WHERE (revoked_at IS NULL);

CREATE INDEX try_count_by_end ON public.try_count USING btree (bucket, ends_at);

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

ALTER TABLE ONLY public.campaign
    ADD CONSTRAINT campaign_book_fkey FOREIGN KEY (book) REFERENCES public.book(id);

ALTER TABLE ONLY public.folded_account
    ADD CONSTRAINT folded_account_book_fkey FOREIGN KEY (book) REFERENCES public.book(id);

ALTER TABLE ONLY public.folded_account
    ADD CONSTRAINT folded_account_kind_fkey FOREIGN KEY (kind) REFERENCES public.account_kind(number);

ALTER TABLE ONLY public.merchant
    ADD CONSTRAINT merchant_book_fkey FOREIGN KEY (book) REFERENCES public.book(id);

ALTER TABLE ONLY public.ride_terms
    ADD CONSTRAINT ride_terms_book_fkey FOREIGN KEY (book) REFERENCES public.book(id);

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

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.accrual TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.accrual_close TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.accrual_ledger TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.accrual_read TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.api_key TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.application TO wufeng_app;

GRANT UPDATE(line_id) ON TABLE public.application TO wufeng_app;

GRANT UPDATE(limit_minor) ON TABLE public.application TO wufeng_app;

GRANT UPDATE(score) ON TABLE public.application TO wufeng_app;

GRANT UPDATE(product_version) ON TABLE public.application TO wufeng_app;

GRANT UPDATE(review_on) ON TABLE public.application TO wufeng_app;

GRANT UPDATE(status) ON TABLE public.application TO wufeng_app;

GRANT UPDATE(grade) ON TABLE public.application TO wufeng_app;

GRANT UPDATE(price) ON TABLE public.application TO wufeng_app;

GRANT UPDATE(decision) ON TABLE public.application TO wufeng_app;

GRANT UPDATE(sheet) ON TABLE public.application TO wufeng_app;

GRANT UPDATE(sheet_hash) ON TABLE public.application TO wufeng_app;

GRANT UPDATE(contract) ON TABLE public.application TO wufeng_app;

GRANT UPDATE(contract_hash) ON TABLE public.application TO wufeng_app;

GRANT UPDATE(confirmed_by) ON TABLE public.application TO wufeng_app;

GRANT UPDATE(expires_at) ON TABLE public.application TO wufeng_app;

GRANT UPDATE(decided_at) ON TABLE public.application TO wufeng_app;

GRANT UPDATE(accepted_at) ON TABLE public.application TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.application_consent TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.application_policy TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.audit_entry TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.bank_account TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.bank_instruction TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.bill TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.book TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.campaign TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.campaign_slice TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.charge_off TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.checkout_session TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.close_run TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.consent_withdrawal TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.credit_cap TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.cursor TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.debit TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.debit_try TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.decision TO wufeng_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.delivery TO wufeng_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.delivery_attempt TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.device TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.draw TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.draw_refund TO wufeng_app;

GRANT UPDATE(returned) ON TABLE public.draw_refund TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.event TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.family_card TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.family_use TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.feature TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.folded_account TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.folded_balance TO wufeng_app;

GRANT UPDATE(balance_minor) ON TABLE public.folded_balance TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.journal TO wufeng_app;

GRANT SELECT ON TABLE public.folded_leg TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.friend_link TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.head TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.hold TO wufeng_app;

GRANT UPDATE(posted_minor) ON TABLE public.hold TO wufeng_app;

GRANT UPDATE(status) ON TABLE public.hold TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.identity_check TO wufeng_app;

GRANT SELECT ON TABLE public.journal_kind TO wufeng_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.key_claim TO wufeng_app;

GRANT SELECT ON TABLE public.leg TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.lender TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.line TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.line_change TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.line_review TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.merchant TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.merchant_code TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.merchant_order TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.message TO wufeng_app;

GRANT SELECT ON TABLE public.migration TO wufeng_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.name_claim TO wufeng_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.one_time_code TO wufeng_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.openid_return TO wufeng_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.passkey TO wufeng_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.passkey_challenge TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.pay_choice TO wufeng_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.pay_code TO wufeng_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.pay_code_miss TO wufeng_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.pay_code_use TO wufeng_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.pay_handle TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.payment TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.payment_link TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.payment_link_use TO wufeng_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.payment_pin TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.payment_sum TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.person TO wufeng_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.personal_data TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.policy TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.product TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.quote TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.refund TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.reminder TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.repayment TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.ride TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.ride_charge TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.ride_terms TO wufeng_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.risk_list_member TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.session TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.settlement TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.settlement_drawn TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.settlement_part TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.settlement_settled TO wufeng_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.shipment TO wufeng_app;

GRANT SELECT ON TABLE public.signed_in_device TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.slot_range TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.staff TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.staff_session TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.test_bank_instruction TO wufeng_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.try_count TO wufeng_app;

GRANT SELECT,INSERT ON TABLE public.verification TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.wallet_movement TO wufeng_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.webhook_endpoint TO wufeng_app;
