-- How many households of each loyalty segment shop at the retailer.
-- A household counts once however many CRM records share its address.
SELECT
  c.segment,
  COUNT(DISTINCT c.email_key) AS households
FROM crm_households AS c
INNER JOIN customers AS k ON c.email_key = k.email_key
WHERE c.dt >= :week_start AND c.dt <= :week_end
GROUP BY c.segment
