with lines as (
    select * from {{ ref('abom_conformance') }}
),

tree_lines as (
    select * from {{ ref('int_abom__tree_lines') }}
),

uses as (
    select * from {{ ref('int_abom__where_used') }}
),

paths as (
    select * from {{ ref('int_abom__assembly_paths') }}
),

installations as (
    select * from {{ ref('abom_installations') }}
),

units as (
    select * from {{ ref('int_abom__units') }}
),

assemblies as (
    select parent_part_inventory_id as part_inventory_id from tree_lines
    union
    select part_inventory_id from lines
),

roots as (
    select assemblies.part_inventory_id as root_part_inventory_id
    from assemblies
    left join tree_lines as above on assemblies.part_inventory_id = above.part_inventory_id
    where above.part_inventory_id is null
),

-- A unit that is in a root at several places is compared once.
members as (
    select
        root_part_inventory_id,
        root_part_inventory_id as part_inventory_id
    from roots
    union all
    select
        roots.root_part_inventory_id,
        uses.component_part_inventory_id as part_inventory_id
    from roots
    inner join uses on roots.root_part_inventory_id = uses.ancestor_part_inventory_id
),

-- Trees end where a cycle of installations begins, and at the maximum depth: what is behind is not compared.
cut_units as (
    select parent_part_inventory_id as part_inventory_id
    from installations
    where is_quarantined
    union
    select part_inventory_id
    from paths
    where depth = {{ var('abom_max_depth') }}
),

first_places as (
    select
        root_part_inventory_id,
        part_inventory_id,
        {{ first_of('path_text', 'sort_key') }} as path_text
    from paths
    group by root_part_inventory_id, part_inventory_id
),

judged as (
    select
        part_inventory_id,
        line_key,
        mbom_version,
        is_export_controlled,
        coalesce(part_number, 'part ' || cast(part_id as string)) as line_part,
        case
            when status not in ('conforming', 'conforming_substitute', 'conforming_revision') then status
            when designator_match = 'mismatch' then 'designator_mismatch'
            else status
        end as finding
    from lines
)

select
    members.root_part_inventory_id,
    members.part_inventory_id,
    judged.line_key,
    judged.mbom_version,
    judged.finding,
    judged.finding in ('conforming', 'conforming_substitute', 'conforming_revision') as conforms,
    coalesce(first_places.path_text, units.unit_label) || ' > ' || judged.line_part || ': ' || judged.finding as place,
    cut_units.part_inventory_id is not null as is_cut_off,
    units.is_export_controlled or coalesce(judged.is_export_controlled, false) as is_export_controlled
from members
inner join units on members.part_inventory_id = units.part_inventory_id
left join judged on members.part_inventory_id = judged.part_inventory_id
left join cut_units on members.part_inventory_id = cut_units.part_inventory_id
left join first_places
    on
        members.root_part_inventory_id = first_places.root_part_inventory_id
        and members.part_inventory_id = first_places.part_inventory_id
