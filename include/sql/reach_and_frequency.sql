-- How many of the retailer's households saw each campaign, and how often it was shown to them.
-- customers has one row per address, so that no impression counts twice. Frequency is impressions / reach.
SELECT
  e.campaign_id,
  COUNT(DISTINCT e.email_key) AS reach,
  SUM(e.impressions) AS impressions
FROM campaign_exposures AS e
INNER JOIN customers AS k ON e.email_key = k.email_key
WHERE e.dt >= :week_start AND e.dt <= :week_end
GROUP BY e.campaign_id
