-- Households that redeemed a coupon of a campaign on or after a day of the week on which they saw it, by channel.
-- A household that saw it in two channels counts in both. Redemptions have numbers of their own, because the
-- join repeats a redemption for every exposure before it.
SELECT
  e.campaign_id,
  e.channel,
  COUNT(DISTINCT e.email_key) AS households,
  COUNT(DISTINCT r.redemption_id) AS redemptions
FROM campaign_exposures AS e
INNER JOIN coupon_redemptions AS r ON e.email_key = r.email_key
WHERE
  e.campaign_id = r.campaign_id
  AND e.dt <= r.dt
  AND e.dt >= :week_start AND e.dt <= :week_end
  AND r.dt >= :week_start AND r.dt <= :week_end
GROUP BY e.campaign_id, e.channel
