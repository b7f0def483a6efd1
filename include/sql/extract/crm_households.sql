-- Rows that the CRM wrote during one day, in one order whenever they are read.
SELECT
  crm_id,
  first_name,
  last_name,
  email,
  phone,
  postal_code,
  age_band,
  segment,
  marketing_consent,
  updated_at
FROM crm_households
WHERE updated_at >= :day_start AND updated_at < :day_end
ORDER BY updated_at, crm_id
