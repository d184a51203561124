-- One row per order, with what was known when it was placed.
SELECT
  order_id,
  ordered_at::TIMESTAMP AS ordered_at,
  returned,
  price::FLOAT AS price,
  isodow(ordered_at::TIMESTAMP)::FLOAT AS weekday,
  category
FROM orders
