with promised as (
    select * from {{ ref('int_supply__order_lines') }}
),

received as (
    select * from {{ ref('int_supply__line_receipts') }}
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
),

units_of_measurement as (
    select * from {{ ref('stg_ion__units_of_measurement') }}
),

suppliers as (
    select * from {{ ref('stg_ion__suppliers') }}
),

currencies as (
    select * from {{ ref('stg_ion__currencies') }}
),

dated as (
    select
        promised.*,
        received.quantity_due,
        received.quantity_received as quantity_in_receipts,
        received.first_received_at,
        received.fully_received_at,
        received.is_unit_unclear,
        -- Midnight UTC marks a date without a time: it is the same day in every time zone.
        case
            when {{ is_utc_midnight('promised.promised_at') }} then {{ day_in_zone('promised.promised_at', "'UTC'") }}
            else {{ production_day('promised.promised_at') }}
        end as promised_on,
        {{ production_day('received.fully_received_at') }} as fully_received_on,
        -- ION marks the line as received, but no receipt gives the date.
        coalesce(
            received.fully_received_at is null and not received.was_whole and not received.is_unit_unclear
            and (promised.status = 'RECEIVED' or promised.received_quantity >= received.quantity_due * (1 - 1e-9)),
            false
        ) as is_undated,
        -- The line is closed and not complete, and either nothing was received or the returned quantity will not be
        -- delivered again.
        promised.is_closed and received.fully_received_at is null
        and (received.was_whole or received.quantity_received <= 0) as is_nothing_left
    from promised
    left join received on promised.purchase_order_line_id = received.purchase_order_line_id
),

judged as (
    select
        *,
        -- A line with quantity 0 has nothing to deliver, so it is never due.
        coalesce(is_ordered and quantity > 0 and promised_on <= {{ last_loaded_day() }}, false) as is_due,
        promised_on + cast({{ organization_setting('on_time_tolerance_days') }} as integer) as on_time_until_on,
        case
            when not is_ordered or promised_on is null then null
            when is_unit_unclear then 'unit unclear'
            when is_undated then 'received without date'
            when is_nothing_left then 'nothing left to deliver'
        end as not_judged_because
    from dated
)

select
    judged.purchase_order_line_id,
    judged.purchase_order_id,
    judged.supplier_id,
    suppliers.supplier_name,
    judged.status,
    judged.position,
    judged.part_id,
    parts.part_number,
    parts.part_revision,
    judged.line_description,
    judged.quantity as quantity_ordered,
    judged.quantity_due,
    coalesce(judged.quantity_in_receipts, 0) as quantity_received,
    judged.received_quantity as quantity_received_in_ion,
    units_of_measurement.unit_of_measure,
    judged.cost,
    judged.estimated_cost,
    currencies.currency,
    judged.ordered_at,
    judged.needed_at,
    judged.estimated_arrival_at,
    judged.promised_at,
    judged.promised_on,
    judged.promise_from,
    judged.first_received_at,
    judged.fully_received_at,
    judged.is_ordered,
    judged.is_closed,
    judged.is_due,
    judged.is_ordered and judged.promised_on is null as is_without_promise,
    judged.is_undated as is_received_without_date,
    judged.not_judged_because,
    case
        when not judged.is_ordered or judged.promised_on is null or judged.not_judged_because is not null then null
        when judged.fully_received_on is not null then judged.fully_received_on <= judged.on_time_until_on
        when {{ last_loaded_day() }} > judged.on_time_until_on then false
    end as is_on_time,
    case
        when not judged.is_ordered or judged.not_judged_because is not null then null
        when judged.fully_received_on is not null then {{ days_from('judged.promised_on', 'judged.fully_received_on') }}
        -- No further delivery is expected, and the date of that decision is unknown.
        when judged.is_due and not judged.is_closed then {{ days_from('judged.promised_on', last_loaded_day()) }}
    end as days_late,
    judged.created_at,
    judged.updated_at,
    coalesce(judged.is_export_controlled, false) as is_export_controlled
from judged
left join parts on judged.part_id = parts.part_id
left join units_of_measurement on parts.unit_of_measure_id = units_of_measurement.unit_of_measure_id
left join suppliers on judged.supplier_id = suppliers.supplier_id
left join currencies on judged.currency_id = currencies.currency_id
order by judged.purchase_order_line_id
