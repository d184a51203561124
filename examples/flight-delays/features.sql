-- One row per flight that arrived: what was known one hour before its scheduled departure, and how late it came
-- (pipeline.yaml asks whether by more than 15 minutes, delay-minutes.yaml by how many).
--
-- Tables: flights, weather, planes (one view per dataset of the pipeline). Cancelled and diverted flights have no
-- arrival delay, hence no label, and are left out. Nothing of the flight itself after its departure (actual times,
-- departure delay, air time) is a feature: that would be a leak. The weather is the last observation at the origin
-- that was in at least an hour before the scheduled hour. Order and the split by time are the engine's work.
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

  (flight.hour * 60 + flight.minute)::FLOAT AS departure_minute,
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
LEFT JOIN weather ON weather.origin = flight.origin AND weather.time_hour = flight.time_hour - INTERVAL 1 HOUR
LEFT JOIN planes AS plane ON plane.tailnum = flight.tailnum
WHERE flight.arr_delay IS NOT NULL
