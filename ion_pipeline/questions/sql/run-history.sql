-- What has this unit been through?
-- $unit: unit, serial number, lot number, PART:NAME or #ID = PLT-RTY-1

select recency, run_title, status, first_started_at::date as started_on, steps_done, steps_total, is_first_pass
from production.run_history
where part_inventory_id = $unit
order by recency
