{{ config(materialized='table') }}

with recursive steps as (
    select * from {{ ref('stg_ion__steps') }}
),

follows as (
    select
        step_id,
        {{ each_of('upstream_step_ids') }} as upstream_step_id
    from steps
),

known_follows as (
    select follows.*
    from follows
    inner join steps on follows.upstream_step_id = steps.step_id
),

-- Length of the longest sequence of steps before this one. `union` keeps parallel branches from multiplying.
levels as (
    {{ rounds_begin() }}
    select
        steps.step_id,
        0 as step_level
    from steps
    left join known_follows on steps.step_id = known_follows.step_id
    where known_follows.step_id is null

    {{ rounds_repeat('union') }}

    select
        known_follows.step_id,
        levels.step_level + 1 as step_level
    from levels
    inner join known_follows on levels.step_id = known_follows.upstream_step_id
    where levels.step_level < {{ var('step_max_level') }}
    {{ rounds_end() }}
),

numbered as (
    select
        steps.step_id,
        steps.procedure_id,
        steps.parent_step_id,
        max(levels.step_level) as step_level,
        row_number() over (
            partition by steps.procedure_id, steps.parent_step_id
            order by max(levels.step_level) asc nulls last, steps.position asc nulls last, steps.step_id asc
        ) as sibling_number
    from steps
    left join levels on steps.step_id = levels.step_id
    group by steps.step_id, steps.procedure_id, steps.parent_step_id, steps.position
),

-- Nested steps follow the step that contains them and belong to its procedure.
nested as (
    select
        numbered.step_id,
        numbered.procedure_id,
        0 as depth,
        numbered.step_level,
        '/' || {{ ordinal_key('numbered.sibling_number') }} as sort_key
    from numbered
    left join numbered as parents on numbered.parent_step_id = parents.step_id
    where parents.step_id is null

    union all

    select
        numbered.step_id,
        coalesce(numbered.procedure_id, nested.procedure_id) as procedure_id,
        nested.depth + 1 as depth,
        numbered.step_level,
        nested.sort_key || '/' || {{ ordinal_key('numbered.sibling_number') }} as sort_key
    from nested
    inner join numbered on nested.step_id = numbered.parent_step_id
    where nested.depth < {{ var('step_max_depth') }}
)

select
    *,
    row_number() over (partition by procedure_id order by sort_key, step_id) as execution_order
from nested
