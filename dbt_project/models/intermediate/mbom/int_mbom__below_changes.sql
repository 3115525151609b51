{{ config(materialized='table') }}

-- Instants at which the plan in force of a part, or of anything below it, changed.
with recursive periods as (
    select
        mbom_id,
        state_number,
        part_id,
        lines_hash,
        in_force_from,
        in_force_to
    from {{ ref('int_mbom__in_force') }}
    where in_force_from is not null and line_count > 0
),

lines as (
    select * from {{ ref('int_mbom__state_lines') }}
),

begun as (
    select
        periods.part_id,
        periods.in_force_from as changed_at
    from periods
    left join periods as before
        on
            periods.part_id = before.part_id
            and periods.in_force_from = before.in_force_to
            and periods.lines_hash = before.lines_hash
    where before.part_id is null
),

ended as (
    select
        periods.part_id,
        periods.in_force_to as changed_at
    from periods
    left join periods as after
        on periods.part_id = after.part_id and periods.in_force_to = after.in_force_from
    where periods.in_force_to is not null and after.part_id is null
),

-- The recursion needs no cap, even with cycles: each pair is found once, and there are finitely many.
changed as (
    {{ rounds_begin() }}
    select * from begun
    union
    select * from ended
    {{ rounds_repeat('union') }}
    select
        periods.part_id,
        changed.changed_at
    from changed
    inner join lines on changed.part_id = lines.part_id
    inner join periods
        on
            lines.mbom_id = periods.mbom_id
            and lines.state_number = periods.state_number
            and changed.changed_at >= periods.in_force_from
            and (periods.in_force_to is null or changed.changed_at <= periods.in_force_to)
    {{ rounds_end() }}
)

select * from changed
