"""The schema as text: noise away, everything else kept."""

from wufeng.base.schema import normalised

DUMP = """--
-- PostgreSQL database dump
--

\\restrict wufeng

-- Dumped from database version 18.1

SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);

CREATE TABLE public.one (
    n integer NOT NULL,{blanks}
    note text DEFAULT '-- no comment'::text
);


COMMENT ON TABLE public.one IS 'set; and more';

\\unrestrict wufeng
""".replace("{blanks}", "   ")


def test_a_dump_without_what_differs_between_machines() -> None:
    text = normalised(DUMP)
    head, _, rest = text.partition("\n\n")
    assert head.startswith("-- Today's whole schema")
    assert rest == (
        "CREATE TABLE public.one (\n    n integer NOT NULL,\n    note text DEFAULT '-- no comment'::text\n);\n\n"
        "COMMENT ON TABLE public.one IS 'set; and more';\n"
    )
    assert normalised(DUMP.replace("18.1", "18.6").replace("restrict wufeng", "restrict x1")) == text
