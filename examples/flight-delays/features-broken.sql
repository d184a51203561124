-- features.sql with two mistakes that happen: the weather is asked for at five minutes past the hour, when there is no observation,
-- so the LEFT JOIN finds nothing; and departure_minute is the minute within the hour instead of the minute of the day. Names and
-- types are right, a missing value is allowed, so every check passes: only the judged model shows it.
SELECT
  strftime(make_date(flight.year, flight.month, flight.day), '%Y%m%d')
    || '-' || flight.carrier || flight.flight || '-' || flight.origin AS flight_id,
  make_timestamp(flight.year, flight.month, flight.day, flight.hour, flight.minute, 0) AS scheduled_at,
  flight.arr_delay > 15 AS late,
  flight.arr_delay AS minutes_late,

  flight.carrier AS carrier,
  flight.origin AS origin,
  flight.dest AS dest,
  plane.manufacturer AS manufacturer,

  flight.minute::FLOAT AS departure_minute,
  isodow(make_date(flight.year, flight.month, flight.day))::FLOAT AS weekday,
  flight.distance::FLOAT AS distance,
  ((flight.sched_arr_time // 100 * 60 + flight.sched_arr_time % 100 - flight.hour * 60 - flight.minute + 1440) % 1440)::FLOAT
    AS scheduled_minutes,
  (flight.year - plane.built)::FLOAT AS plane_age,
  plane.seats::FLOAT AS plane_seats,

  weather.dewp AS dewp,
  weather.humid AS humid,
  weather.wind_speed AS wind_speed,
  weather.wind_gust AS wind_gust,
  weather.precip AS precip,
  weather.pressure AS pressure,
  weather.visib AS visib
FROM flights AS flight
LEFT JOIN weather ON weather.origin = flight.origin
  AND weather.time_hour = flight.time_hour - INTERVAL 55 MINUTE
LEFT JOIN planes AS plane ON plane.tailnum = flight.tailnum
WHERE flight.arr_delay IS NOT NULL
