with first_days as (
    select
        min({{ production_day('created_at') }}) as created_on,
        cast(date_trunc('year', min({{ production_day('created_at') }})) as date) as first_year_on
    from {{ ref('stg_ion__issues') }}
),

-- Every day on which issues are counted must be in the calendar.
ends as (
    select
        least(
            date '{{ var("calendar_start") }}',
            case when created_on is not null then greatest(first_year_on, date '1970-01-01') end
        ) as first_on,
        date '{{ var("calendar_end") }}' as last_on
    from first_days
),

days as (
    select {{ days_between('first_on', 'last_on') }} as calendar_on
    from ends
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
