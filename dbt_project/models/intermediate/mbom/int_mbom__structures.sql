{{ config(materialized='table') }}

-- A tree is determined by its own lines and the lines of every assembly in it, so equal sets of lines mean equal trees.
with recursive states as (
    select * from {{ ref('int_mbom__in_force') }}
),

lines as (
    select distinct
        mbom_id,
        state_number,
        part_id
    from {{ ref('int_mbom__state_lines') }}
),

periods as (
    select * from states
    where in_force_from is not null and line_count > 0
),

-- The recursion needs no cap, even with cycles: each assembly is found once per tree, and there are finitely many.
contained as (
    {{ rounds_begin() }}
    select
        states.mbom_id,
        states.state_number,
        states.stood_until,
        periods.mbom_id as below_mbom_id,
        periods.state_number as below_state_number,
        periods.part_id,
        periods.lines_hash
    from states
    inner join lines on states.mbom_id = lines.mbom_id and states.state_number = lines.state_number
    inner join periods on lines.part_id = periods.part_id and {{ in_force_until('periods', 'states.stood_until') }}

    {{ rounds_repeat('union') }}

    select
        contained.mbom_id,
        contained.state_number,
        contained.stood_until,
        periods.mbom_id as below_mbom_id,
        periods.state_number as below_state_number,
        periods.part_id,
        periods.lines_hash
    from contained
    inner join lines
        on contained.below_mbom_id = lines.mbom_id and contained.below_state_number = lines.state_number
    inner join periods on lines.part_id = periods.part_id and {{ in_force_until('periods', 'contained.stood_until') }}
    {{ rounds_end() }}
),

assemblies as (
    select
        mbom_id,
        state_number,
        count(*) as assembly_count,
        {{ content_hash(list_of(struct_of(['part_id', 'lines_hash']), 'part_id')) }} as assemblies_hash
    from contained
    group by mbom_id, state_number
)

select
    states.mbom_id,
    states.state_number,
    coalesce(assemblies.assembly_count, 0) as assembly_count,
    {{ content_hash("states.lines_hash || coalesce(assemblies.assemblies_hash, '')") }} as structure_hash
from states
left join assemblies on states.mbom_id = assemblies.mbom_id and states.state_number = assemblies.state_number
