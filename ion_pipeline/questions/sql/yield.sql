-- What was the yield of a part in a month, step by step?
-- $part: product, part number = PLT-RTY
-- $month: month, the month of the first attempt = 2026-01

select
    yields.part_revision,
    yields.procedure_title,
    yields.procedure_version,
    step.step_title,
    step.quantity_attempted,
    step.quantity_passed_first,
    step.first_pass_yield,
    round(yields.rolled_throughput_yield, 6) as rolled_throughput_yield
from (
    select *, unnest(steps) as step
    from quality.rolled_throughput_yield_by_month
) as yields
where yields.part_number = $part and yields.month_starts_on = $month
order by yields.part_revision, yields.procedure_title, yields.procedure_version, step.step_id
