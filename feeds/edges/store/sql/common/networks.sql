-- name: networks.count_request
-- Count a request of a network, unless too many networks are counted already; return its requests since the start.
INSERT INTO signup_networks (network, since, requests) SELECT CAST(:network AS TEXT), :now, 1
WHERE EXISTS (SELECT 1 FROM signup_networks WHERE network = :network)
    OR (SELECT count(*) FROM signup_networks) < :most
ON CONFLICT (network) DO UPDATE SET
    requests = CASE WHEN signup_networks.since <= :start THEN 1 ELSE signup_networks.requests + 1 END,
    since = CASE WHEN signup_networks.since <= :start THEN excluded.since ELSE signup_networks.since END
RETURNING requests;
