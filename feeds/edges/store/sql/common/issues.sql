-- name: issues.any
-- Return 1 if any issue was ever composed.
SELECT 1 FROM issues LIMIT 1;

-- name: issues.announced_ids
-- Return the ids of the entries that a newsletter has announced, and the ids that have replaced them.
SELECT entry_id FROM announced WHERE newsletter = :newsletter
UNION
SELECT e.replaced_by FROM announced AS a JOIN entries AS e ON e.id = a.entry_id
WHERE a.newsletter = :newsletter AND e.replaced_by IS NOT NULL;

-- name: issues.last
-- Return the last slot and the highest number of a newsletter; a correction uses no slot.
SELECT max(slot) FILTER (WHERE corrects IS NULL), max(number) FROM issues WHERE newsletter = :newsletter;

-- name: issues.is_taken
-- Return 1 if a newsletter has an issue with this slot or number.
SELECT 1 FROM issues WHERE newsletter = :newsletter AND (slot = :slot OR number = :number);

-- name: issues.add
-- Store an issue; return its id.
INSERT INTO issues (newsletter, number, slot, state, subject, composed_at, approved, note, seed, transport, corrects)
VALUES (:newsletter, :number, :slot, 'sending', :subject, :composed_at, :approved, :note, :seed, :transport, :corrects)
RETURNING id;

-- name: issues.adopt
-- Store an issue that was sent before this store existed; return its id.
INSERT INTO issues (newsletter, number, slot, state, subject, composed_at)
VALUES (:newsletter, :number, :slot, 'sent', :subject, :composed_at)
RETURNING id;

-- name: issues.announce
-- Store that an issue announces an entry.
INSERT INTO announced (newsletter, entry_id, issue_id, how, position)
VALUES (:newsletter, :entry, :issue, :how, :position);

-- name: issues.add_content
-- Store the page, the entry in the newsletter's feed and the content of an issue.
INSERT INTO contents (issue_id, page, entry, content) VALUES (:issue, :page, :entry, :content);

-- name: issues.add_letter
-- Store a letter of an issue; return its id.
INSERT INTO letters (issue_id, lang, subject, html, text) VALUES (:issue, :lang, :subject, :html, :text)
RETURNING id;

-- name: issues.add_deliveries
-- Store a delivery to each active subscriber with these preferences who is not paused.
INSERT INTO deliveries (issue_id, letter_id, state, subscriber_id, recipient, recipient_key, domain)
SELECT :issue, :letter, 'ready', s.id, s.email, s.email_key, s.domain
FROM subscriptions AS n JOIN subscribers AS s ON s.id = n.subscriber_id
WHERE n.newsletter = :newsletter AND n.topics = :topics AND s.status = 'active'
    AND (s.lang = :lang OR (s.lang IS NULL AND CAST(:lang AS TEXT) IS NULL))
    AND NOT EXISTS (SELECT 1 FROM pauses AS p WHERE p.subscriber_id = s.id)
    AND NOT EXISTS (SELECT 1 FROM chosen_pauses AS c WHERE c.subscriber_id = s.id)
    AND NOT EXISTS (SELECT 1 FROM paused_domains AS d WHERE d.domain = s.domain)
ORDER BY s.id;

-- name: issues.add_correction_deliveries
-- Store the same deliveries, but only to subscribers who got the corrected issue or may have got it.
INSERT INTO deliveries (issue_id, letter_id, state, subscriber_id, recipient, recipient_key, domain)
SELECT :issue, :letter, 'ready', s.id, s.email, s.email_key, s.domain
FROM subscriptions AS n JOIN subscribers AS s ON s.id = n.subscriber_id
WHERE n.newsletter = :newsletter AND n.topics = :topics AND s.status = 'active'
    AND (s.lang = :lang OR (s.lang IS NULL AND CAST(:lang AS TEXT) IS NULL))
    AND NOT EXISTS (SELECT 1 FROM pauses AS p WHERE p.subscriber_id = s.id)
    AND NOT EXISTS (SELECT 1 FROM chosen_pauses AS c WHERE c.subscriber_id = s.id)
    AND NOT EXISTS (SELECT 1 FROM paused_domains AS d WHERE d.domain = s.domain)
    AND s.id IN (SELECT r.subscriber_id FROM deliveries AS r
        WHERE r.issue_id = :corrected AND (r.state IN ('sent', 'unknown') OR r.unknowns > 0))
ORDER BY s.id;

-- name: issues.add_copy
-- Store the delivery of a copy, unless its address gets the issue already.
INSERT INTO deliveries (issue_id, letter_id, state, recipient, recipient_key, domain)
VALUES (:issue, :letter, 'ready', :recipient, :key, :domain)
ON CONFLICT (issue_id, recipient_key) DO NOTHING;

-- name: issues.count_recipients
-- Store how many deliveries an issue has.
UPDATE issues SET recipients = (SELECT count(*) FROM deliveries WHERE issue_id = :id) WHERE id = :id;

-- name: issues.has_sent_by
-- Return 1 if any issue was sent with a transport.
SELECT 1 FROM issues WHERE transport = :transport LIMIT 1;

-- name: issues.load
-- Return all issues, the oldest first, with how many posts they have and the number of the issue that they correct.
SELECT i.id, i.newsletter, i.number, i.slot, i.state, i.approved, i.subject,
    (SELECT count(*) FROM announced AS a WHERE a.issue_id = i.id AND a.how = 'story'),
    i.recipients, i.sent, i.seed, i.halted, i.whole, i.composed_at, i.retracted_at, i.retraction,
    (SELECT o.number FROM issues AS o WHERE o.id = i.corrects)
FROM issues AS i WHERE i.number > 0 ORDER BY i.slot, i.id;

-- name: issues.load_unfinished
-- Return the same of the issues that are being sent.
SELECT i.id, i.newsletter, i.number, i.slot, i.state, i.approved, i.subject,
    (SELECT count(*) FROM announced AS a WHERE a.issue_id = i.id AND a.how = 'story'),
    i.recipients, i.sent, i.seed, i.halted, i.whole, i.composed_at, i.retracted_at, i.retraction,
    (SELECT o.number FROM issues AS o WHERE o.id = i.corrects)
FROM issues AS i WHERE i.number > 0 AND i.state != 'sent' AND i.approved ORDER BY i.slot, i.id;

-- name: issues.load_letters
-- Return the letters of an issue.
SELECT id, lang, subject, html, text FROM letters WHERE issue_id = :id ORDER BY id;

-- name: issues.load_encoded
-- Return a letter as it is encoded for sending; NULL if it is not encoded yet.
SELECT encoded FROM letters WHERE id = :letter;

-- name: issues.save_encoded
-- Store a letter as it is encoded for sending.
UPDATE letters SET encoded = :encoded WHERE id = :letter;

-- name: issues.load_page
-- Return the public page of an issue, and its entry in the newsletter's feed.
SELECT page, entry FROM contents WHERE issue_id = :id;

-- name: issues.load_content
-- Return the content from which the letters of an issue are rendered.
SELECT content FROM contents WHERE issue_id = :id;

-- name: issues.last_id
-- Return the id of the newest issue of a newsletter.
SELECT max(id) FROM issues WHERE newsletter = :newsletter;

-- name: issues.announced_entries
-- Return the ids of the entries that a newsletter has announced.
SELECT entry_id FROM announced WHERE newsletter = :newsletter;

-- name: issues.note_digests
-- Return the digests of the notes in the issues of a newsletter.
SELECT note FROM issues WHERE newsletter = :newsletter AND note != '';

-- name: issues.correction_digests
-- Return the digests of the notes of the corrections of an issue.
SELECT note FROM issues WHERE corrects = :id;

-- name: issues.count_preferences
-- Return how many active subscribers of a newsletter, who are not paused, have each language and topics.
SELECT s.lang, n.topics, count(*)
FROM subscriptions AS n JOIN subscribers AS s ON s.id = n.subscriber_id
WHERE n.newsletter = :newsletter AND s.status = 'active'
    AND NOT EXISTS (SELECT 1 FROM pauses AS p WHERE p.subscriber_id = s.id)
    AND NOT EXISTS (SELECT 1 FROM chosen_pauses AS c WHERE c.subscriber_id = s.id)
    AND NOT EXISTS (SELECT 1 FROM paused_domains AS d WHERE d.domain = s.domain)
GROUP BY s.lang, n.topics;

-- name: issues.count_correction_preferences
-- Return the same of those subscribers who got the corrected issue or may have got it.
SELECT s.lang, n.topics, count(*)
FROM subscriptions AS n JOIN subscribers AS s ON s.id = n.subscriber_id
WHERE n.newsletter = :newsletter AND s.status = 'active'
    AND NOT EXISTS (SELECT 1 FROM pauses AS p WHERE p.subscriber_id = s.id)
    AND NOT EXISTS (SELECT 1 FROM chosen_pauses AS c WHERE c.subscriber_id = s.id)
    AND NOT EXISTS (SELECT 1 FROM paused_domains AS d WHERE d.domain = s.domain)
    AND s.id IN (SELECT r.subscriber_id FROM deliveries AS r
        WHERE r.issue_id = :corrected AND (r.state IN ('sent', 'unknown') OR r.unknowns > 0))
GROUP BY s.lang, n.topics;

-- name: issues.approve
-- Store that an issue is approved, unless it is already.
UPDATE issues SET approved = true WHERE id = :id AND NOT approved;

-- name: issues.delete_announced
-- Delete what an issue announces, unless it is approved.
DELETE FROM announced WHERE issue_id IN (SELECT id FROM issues WHERE id = :id AND NOT approved);

-- name: issues.delete_content
-- Delete the content of an issue, unless it is approved.
DELETE FROM contents WHERE issue_id IN (SELECT id FROM issues WHERE id = :id AND NOT approved);

-- name: issues.delete
-- Delete an issue, unless it is approved.
DELETE FROM issues WHERE id = :id AND NOT approved;

-- name: issues.retract
-- Store when and why an issue was retracted; without a time, that it is not.
UPDATE issues SET retracted_at = :at, retraction = :reason WHERE id = :id;

-- name: issues.finish
-- Store that all deliveries of an issue are finished, and how many were sent.
UPDATE issues SET state = 'sent',
    sent = (SELECT count(*) FROM deliveries WHERE issue_id = :id AND state = 'sent')
WHERE id = :id;
