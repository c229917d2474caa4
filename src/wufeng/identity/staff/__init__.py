"""Staff: who works at the operator, in one role, with sessions by password."""
