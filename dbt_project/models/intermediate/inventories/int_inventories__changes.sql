-- Kinds of change from one version of a unit to the next: the condition, the value before and after, and by how much.
{% set kinds = {
    'moved': ['version_number > 1 and location_id is distinct from previous_location_id',
        'previous_location_name', 'location_name', 'cast(null as double)'],
    'status': ['version_number > 1 and status is distinct from previous_status',
        'previous_status', 'status', 'cast(null as double)'],
    'quantity': ['version_number > 1 and quantity is distinct from previous_quantity',
        'cast(previous_quantity as string)', 'cast(quantity as string)', 'quantity - previous_quantity'],
    'kitted': ['kitted > previous_kitted',
        'cast(previous_kitted as string)', 'cast(kitted as string)', 'kitted - previous_kitted'],
    'unkitted': ['kitted < previous_kitted',
        'cast(previous_kitted as string)', 'cast(kitted as string)', 'kitted - previous_kitted'],
    'held': ['is_held and not was_held', 'previous_status', 'status', 'cast(null as double)'],
    'released': ['not is_held and was_held', 'previous_status', 'status', 'cast(null as double)'],
} %}

with states as (
    select
        units.*,
        locations.location_name,
        coalesce(units.quantity_kitted, 0) as kitted,
        coalesce(units.is_unavailable, false) or coalesce(units.status = 'UNAVAILABLE', false) as is_held
    from {{ ref('stg_ion_history__part_inventories') }} as units
    left join {{ ref('stg_ion__locations') }} as locations on units.location_id = locations.location_id
),

versions as (
    select
        *,
        row_number() over of_unit as version_number,
        lag(status) over of_unit as previous_status,
        lag(location_id) over of_unit as previous_location_id,
        lag(location_name) over of_unit as previous_location_name,
        lag(quantity) over of_unit as previous_quantity,
        coalesce(lag(kitted) over of_unit, 0) as previous_kitted,
        coalesce(lag(is_held) over of_unit, false) as was_held,
        lag(updated_at) over of_unit as previous_updated_at
    from states
    window of_unit as (partition by part_inventory_id order by valid_from)
),

-- A computed value, such as the status, may change without a change of the row: then only the load is known.
timed as (
    select
        *,
        coalesce(updated_at > previous_updated_at, updated_at is not null) as is_changed_in_ion
    from versions
)

{% for kind, (condition, value_before, value_after, quantity) in kinds.items() %}
    select
        part_inventory_id,
        '{{ kind }}' as event_type,
        'v' || cast(version_number as string) as source_key,
        case when is_changed_in_ion then updated_at else valid_from end as occurred_at,
        case when is_changed_in_ion then 'last change' else 'load' end as time_from,
        case when is_changed_in_ion then updated_by_id end as by_id,
        {{ value_before }} as value_before,
        {{ value_after }} as value_after,
        {{ quantity }} as quantity,
        version_number > 1 as is_from_history
    from timed
    where {{ condition }}
    {{ 'union all' if not loop.last }}
{% endfor %}
