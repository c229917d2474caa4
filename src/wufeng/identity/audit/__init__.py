"""The audit: who did what to whose object, why and when; written in the transaction of the deed, never changed."""
