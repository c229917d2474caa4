-- When a book's ledger was proved last, and with what result: the console shows it, and a timer reads whether it is due.

create table verification (
    book     smallint not null references book (id),
    at       timestamptz not null,
    through  bigint not null check (through >= 0),
    journals bigint not null check (journals >= 0),
    breaks   integer not null check (breaks >= 0),
    took_ms  integer not null check (took_ms >= 0),
    primary key (book, at)
);
comment on table verification is 'reference table: each proof of a book''s ledger, by the system''s clock; few rows, never changed';
comment on column verification.through is 'the sum of the heads'' numbers that it read: a book whose heads sum to this has not changed since';

grant select, insert on verification to wufeng_app;
