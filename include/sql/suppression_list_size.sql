-- How many of the retailer's households must not be addressed, because they opted out with the brand.
SELECT COUNT(DISTINCT c.email_key) AS households
FROM crm_households AS c
INNER JOIN customers AS k ON c.email_key = k.email_key
WHERE
  c.marketing_consent = 'opted_out'
  AND c.dt >= :week_start AND c.dt <= :week_end
