-- The mode that an application asks its line to be opened in.

alter table application add column if not exists mode text check (mode in ('order', 'bill'));
comment on column application.mode is
    'how the draws of its line become due; null: it was made before there was a choice, and has its product''s first';
