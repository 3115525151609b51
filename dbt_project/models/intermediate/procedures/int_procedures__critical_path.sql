{{ config(materialized='table') }}

-- One walk over sibling steps, in an order in which each follows what it waits for, carries the hours of
-- the longest way to each of them; a second walk the other way round, those from each of them to the end.
{% set walks = {'before': ['asc', 'step_id'], 'after': ['desc', 'upstream_step_id']} %}

with recursive durations as (
    select
        step_id,
        {{ quantile_of('elapsed_hours', 0.5) }} as typical_hours,
        count(*) as observed_count
    from {{ ref('run_steps') }}
    where status = 'COMPLETE' and elapsed_hours >= 0 and step_id is not null
    group by step_id
),

-- Steps on a ring have no level, or one that contradicts an edge: such an edge is left out.
steps as (
    select
        steps.step_id,
        {% for walk, (direction, follower) in walks.items() %}
            row_number() over (
                partition by step_order.procedure_id, steps.parent_step_id
                order by step_order.step_level {{ direction }}, steps.step_id
            ) as place_{{ walk }},
        {% endfor %}
        step_order.procedure_id || '/' || coalesce(steps.parent_step_id, 0) as siblings_key,
        step_order.step_level,
        durations.typical_hours,
        coalesce(durations.typical_hours, 0) as hours,
        coalesce(durations.observed_count, 0) as observed_count
    from {{ ref('stg_ion__steps') }} as steps
    inner join {{ ref('int_procedures__step_order') }} as step_order on steps.step_id = step_order.step_id
    left join durations on steps.step_id = durations.step_id
    where step_order.step_level + step_order.procedure_id is not null
),

listed as (
    select step_id, {{ each_of('upstream_step_ids') }} as upstream_step_id from {{ ref('stg_ion__steps') }}
),

edges as (
    select
        followers.step_id,
        leaders.step_id as upstream_step_id,
        leaders.place_before as upstream_place_before,
        followers.place_after
    from listed
    inner join steps as followers on listed.step_id = followers.step_id
    inner join steps as leaders
        on listed.upstream_step_id = leaders.step_id and followers.siblings_key = leaders.siblings_key
    where leaders.step_level < followers.step_level
),

{% for walk, (direction, follower) in walks.items() %}
    waits_{{ walk }} as (
        select
            steps.step_id,
            {{ ids_of('edges.upstream_place_before' if walk == 'before' else 'edges.place_after') }} as places
        from steps
        left join edges on steps.step_id = edges.{{ follower }}
        group by steps.step_id
    ),

    placed_{{ walk }} as (
        select
            steps.*,
            waits_{{ walk }}.places
        from steps
        inner join waits_{{ walk }} on steps.step_id = waits_{{ walk }}.step_id
    ),

    walk_{{ walk }} as (
        select
            siblings_key,
            place_{{ walk }} as place,
            step_id,
            cast(0 as double) as hours_{{ walk }},
            {{ list_with('hours') }} as ends
        from placed_{{ walk }}
        where place_{{ walk }} = 1

        union all

        select
            walk_{{ walk }}.siblings_key,
            steps.place_{{ walk }} as place,
            steps.step_id,
            {%- set longest = largest_at('walk_' ~ walk ~ '.ends', 'steps.places') %}
            {{ longest }} as hours_{{ walk }},
            {{ list_append('walk_' ~ walk ~ '.ends', 'steps.hours + ' ~ longest) }} as ends
        from walk_{{ walk }}
        inner join placed_{{ walk }} as steps
            on
                walk_{{ walk }}.siblings_key = steps.siblings_key
                and walk_{{ walk }}.place + 1 = steps.place_{{ walk }}
        where walk_{{ walk }}.place < {{ var('step_max_level') }}
    ),
{% endfor %}

measured as (
    select
        steps.*,
        walk_before.hours_before,
        walk_after.hours_after,
        max(walk_before.hours_before + steps.hours) over (partition by steps.siblings_key) as path_hours
    from steps
    inner join walk_before on steps.step_id = walk_before.step_id
    inner join walk_after on steps.step_id = walk_after.step_id
)

select
    step_id,
    typical_hours,
    observed_count,
    hours_before,
    hours_after,
    path_hours,
    {{ difference_of('path_hours', '(hours_before + hours + hours_after)') }} as slack_hours
from measured
