-- What was the yield of a product by step, against the month before, and why did it change?
-- $part: product, part number = PLT-RTY
-- $month: month, the month of the first attempt = 2026-01

with monthly as (
    select
        month_starts_on,
        procedure_title,
        step_title,
        min(execution_order) as execution_order,
        sum(quantity_attempted) as attempted,
        100 * sum(quantity_passed_first) / sum(quantity_attempted) as passed_first,
        100 * sum(quantity_failed_first) / sum(quantity_attempted) as failed,
        100 * sum(quantity_failed_validation_first) / sum(quantity_attempted) as failed_validation,
        100 * sum(quantity_redlined_first) / sum(quantity_attempted) as redline,
        100 * sum(quantity_issue_first) / sum(quantity_attempted) as issue
    from quality.first_pass_yield_by_month
    where part_number = $part and quantity_attempted > 0
    group by month_starts_on, procedure_title, step_title
)

select
    this.procedure_title,
    this.step_title,
    this.attempted,
    round(this.passed_first, 1) as percent_passed_first,
    before.attempted as attempted_before,
    round(before.passed_first, 1) as percent_before,
    round(this.passed_first - before.passed_first, 1) as change,
    (
        select string_agg(
            format('{} {:.1f} %', reason, percent) || coalesce(format(' ({:+.1f})', percent - percent_before), ''),
            ', ' order by percent - coalesce(percent_before, 0) desc, reason
        )
        from (
            select
                unnest(['failed', 'failed validation', 'redline', 'issue']) as reason,
                unnest([this.failed, this.failed_validation, this.redline, this.issue]) as percent,
                unnest([before.failed, before.failed_validation, before.redline, before.issue]) as percent_before
        ) as reasons
        where percent > 0 or percent_before > 0
    ) as not_passed_first
from monthly as this
left join monthly as before
    on
        this.procedure_title is not distinct from before.procedure_title
        and this.step_title = before.step_title
        and before.month_starts_on = this.month_starts_on - interval 1 month
where this.month_starts_on = $month
order by this.procedure_title, this.execution_order, this.step_title
