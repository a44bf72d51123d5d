-- Points that ended and codes that were used were kept to be told to nobody.
DELETE FROM "outbox" WHERE "kind" IN ('points-expired', 'code-used') AND "state" = 'waiting';
