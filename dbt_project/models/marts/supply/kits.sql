with kits as (
    select * from {{ ref('stg_ion__part_kits') }}
),

items as (
    select * from {{ ref('kit_items') }}
),

runs as (
    select * from {{ ref('runs') }}
),

locations as (
    select * from {{ ref('stg_ion__locations') }}
),

users as (
    select * from {{ ref('stg_ion__users') }}
),

teams as (
    select * from {{ ref('stg_ion__teams') }}
),

attribute_maps as (
    {{ attribute_maps('part_kit') }}
),

-- Quantities are never added: the items of a kit are in different units.
of_items as (
    select
        part_kit_id,
        count(*) as item_count,
        count(*) filter (where not is_short) as items_fulfilled,
        count(*) filter (where is_short) as items_short,
        count(*) filter (where quantity_short_of_stock > 0) as items_short_of_stock
    from items
    group by part_kit_id
),

timed as (
    select
        kits.*,
        runs.run_title,
        runs.serial_number,
        runs.part_number as run_part_number,
        runs.as_of_at,
        {{ kit_is_open('kits.status') }} as is_open,
        least(runs.scheduled_start_at, runs.first_started_at) as needed_at
    from kits
    left join runs on kits.run_id = runs.run_id
)

select
    timed.part_kit_id,
    timed.status,
    timed.is_open,
    timed.run_id,
    timed.run_title,
    timed.run_part_number,
    timed.serial_number,
    staging_locations.location_name,
    delivery_locations.location_name as delivery_location,
    timed.assigned_to_id,
    users.user_name as assigned_to,
    teams.team_name as assigned_team,
    coalesce(of_items.item_count, 0) as item_count,
    coalesce(of_items.items_fulfilled, 0) as items_fulfilled,
    coalesce(of_items.items_short, 0) as items_short,
    coalesce(of_items.items_short_of_stock, 0) as items_short_of_stock,
    cast(of_items.items_fulfilled as double) / of_items.item_count as items_fulfilled_share,
    timed.is_fulfilled,
    timed.percent_fulfilled,
    timed.percent_kitted,
    coalesce(timed.status in ('DELIVERED', 'COMPLETED') and of_items.items_short > 0, false) as is_delivered_short,
    timed.needed_at,
    timed.is_open and timed.needed_at <= timed.as_of_at as is_late,
    case
        when timed.is_open and timed.needed_at <= timed.as_of_at
            then {{ hours_between('timed.needed_at', 'timed.as_of_at') }}
    end as hours_late,
    attribute_maps.attributes,
    timed.created_at,
    timed.updated_at,
    coalesce(timed.is_export_controlled, false) as is_export_controlled
from timed
left join of_items on timed.part_kit_id = of_items.part_kit_id
left join locations as staging_locations on timed.location_id = staging_locations.location_id
left join locations as delivery_locations on timed.delivery_location_id = delivery_locations.location_id
left join users on timed.assigned_to_id = users.user_id
left join teams on timed.assigned_team_id = teams.team_id
left join attribute_maps on timed.part_kit_id = attribute_maps.owner_id
order by timed.part_kit_id
