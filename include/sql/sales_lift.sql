-- Sales of exposed against unexposed households by department. Text of the analysis template sales_lift.
-- Both cohorts are households that are in the CRM and among the retailer's customers; each department's sales
-- are divided by the whole cohort, also by those who bought nothing there. Exposure is not random: campaigns
-- are sent to good customers, so the difference is an upper bound of what the campaign caused.
-- The reviewed text itself refuses groups under ten households.
WITH matched AS (
  SELECT DISTINCT c.email_key
  FROM crm_lift AS c
  INNER JOIN customers_lift AS k ON c.email_key = k.email_key
  WHERE c.dt >= :week_start AND c.dt <= :week_end
),
exposed AS (
  SELECT DISTINCT e.email_key, 'exposed' AS exposure
  FROM exposures_lift AS e
  WHERE e.dt >= :week_start AND e.dt <= :week_end
),
cohorts AS (
  SELECT m.email_key, COALESCE(x.exposure, 'unexposed') AS exposure
  FROM matched AS m
  LEFT JOIN exposed AS x ON m.email_key = x.email_key
),
sizes AS (
  SELECT exposure, COUNT(DISTINCT email_key) AS cohort_households
  FROM cohorts
  GROUP BY exposure
)
SELECT
  t.department,
  h.exposure,
  COUNT(DISTINCT h.email_key) AS households,
  s.cohort_households,
  CAST(SUM(t.sales_value) AS DECIMAL(18, 2)) AS sales,
  CAST(SUM(t.sales_value) AS DOUBLE) / s.cohort_households AS sales_per_household
FROM cohorts AS h
INNER JOIN sizes AS s ON h.exposure = s.exposure
INNER JOIN transactions_lift AS t ON h.email_key = t.email_key
WHERE t.dt >= :week_start AND t.dt <= :week_end
GROUP BY t.department, h.exposure, s.cohort_households
HAVING COUNT(DISTINCT h.email_key) >= 10
