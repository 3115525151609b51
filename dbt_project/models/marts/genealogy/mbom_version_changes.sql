with pairs as (
    select * from {{ ref('int_mbom__state_pairs') }}
),

line_changes as (
    select * from {{ ref('int_mbom__line_changes') }}
),

indirect_changes as (
    select * from {{ ref('int_mbom__indirect_changes') }}
),

states as (
    select * from {{ ref('int_mbom__states') }}
),

lines as (
    select * from {{ ref('int_mbom__state_lines') }}
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
),

changes as (
    select
        pairs.*,
        line_changes.mbom_item_id_before,
        line_changes.mbom_item_id_after,
        line_changes.change,
        line_changes.value_before,
        line_changes.value_after,
        line_changes.substitute_part_id
    from pairs
    inner join line_changes
        on pairs.mbom_id = line_changes.mbom_id and pairs.state_number = line_changes.state_number
    union all
    select
        mbom_id,
        state_number,
        previous_mbom_id,
        previous_state_number,
        is_in_place,
        changed_at,
        mbom_item_id_before,
        mbom_item_id_after,
        'indirect' as change,
        cast(null as string) as value_before,
        cast(null as string) as value_after,
        cast(null as bigint) as substitute_part_id
    from indirect_changes
),

labelled as (
    select
        changes.mbom_id,
        changes.state_number,
        states.part_id as parent_part_id,
        tops.part_number as parent_part_number,
        tops.part_revision as parent_part_revision,
        states.mbom_version,
        changes.previous_mbom_id,
        changes.previous_state_number,
        changes.is_in_place,
        changes.changed_at,
        changes.change,
        coalesce(line_before.part_number, line_after.part_number) as part_number,
        changes.value_before,
        changes.value_after,
        changes.mbom_item_id_before,
        changes.mbom_item_id_after,
        line_before.part_id as part_id_before,
        line_after.part_id as part_id_after,
        line_before.quantity as quantity_before,
        line_after.quantity as quantity_after,
        changes.substitute_part_id
    from changes
    inner join states on changes.mbom_id = states.mbom_id and changes.state_number = states.state_number
    left join parts as tops on states.part_id = tops.part_id
    left join lines as line_before
        on
            changes.previous_mbom_id = line_before.mbom_id
            and changes.previous_state_number = line_before.state_number
            and changes.mbom_item_id_before = line_before.mbom_item_id
    left join lines as line_after
        on
            changes.mbom_id = line_after.mbom_id
            and changes.state_number = line_after.state_number
            and changes.mbom_item_id_after = line_after.mbom_item_id
),

numbered as (
    select
        *,
        cast(row_number() over (
            partition by mbom_id, state_number
            order by
                changed_at asc, part_number asc, mbom_item_id_before asc, mbom_item_id_after asc, change asc,
                value_before asc, value_after asc, substitute_part_id asc
        ) as integer) as change_number
    from labelled
)

select
    mbom_id,
    state_number,
    change_number,
    parent_part_id,
    parent_part_number,
    parent_part_revision,
    mbom_version,
    previous_mbom_id,
    previous_state_number,
    is_in_place,
    changed_at,
    change,
    part_number,
    value_before,
    value_after,
    mbom_item_id_before,
    mbom_item_id_after,
    part_id_before,
    part_id_after,
    quantity_before,
    quantity_after,
    substitute_part_id,
    {{ is_export_controlled('mboms', 'mbom_id') }}
    or {{ is_export_controlled('mboms', 'previous_mbom_id') }}
    or {{ is_export_controlled('mbom_items', 'mbom_item_id_before') }}
    or {{ is_export_controlled('mbom_items', 'mbom_item_id_after') }}
    or {{ is_export_controlled('parts', 'substitute_part_id') }} as is_export_controlled
from numbered
order by mbom_id, state_number, change_number
