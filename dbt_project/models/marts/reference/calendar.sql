with days as (
    select {{ days_between(var('calendar_start'), var('calendar_end')) }} as calendar_on
)

select
    calendar_on,
    extract(year from calendar_on) as year_number,
    extract(quarter from calendar_on) as quarter_number,
    extract(month from calendar_on) as month_number,
    extract(day from calendar_on) as day_of_month,
    {{ iso_weekday('calendar_on') }} as day_of_week,
    {{ iso_year('calendar_on') }} as iso_year,
    extract(week from calendar_on) as iso_week,
    cast(date_trunc('week', calendar_on) as date) as week_starts_on,
    cast(date_trunc('month', calendar_on) as date) as month_starts_on,
    cast(date_trunc('quarter', calendar_on) as date) as quarter_starts_on,
    {{ date_label('calendar_on', '%Y-%m') }} as month_label,
    {{ date_label('calendar_on', '%A') }} as day_name,
    {{ iso_weekday('calendar_on') }} >= 6 as is_weekend
from days
order by calendar_on
