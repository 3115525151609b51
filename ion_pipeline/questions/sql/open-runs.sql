-- Which runs are open, and at which step?
-- $part: product, only runs of this part = PLT-SHOW

select run_title, part_number, serial_number, status, current_step_title, current_step_status, steps_done, steps_total
from production.open_runs
where
    true
    and part_number = $part -- if $part
order by run_id
