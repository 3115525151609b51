{{ config(materialized='table') }}

-- One sweep over the steps beside each other, in an order in which each follows what it waits for, carries the hours of
-- the longest way to each of them; a second sweep the other way round, those from each of them to the end.
{% set sweeps = {'before': ['asc', 'step_id'], 'after': ['desc', 'upstream_step_id']} %}

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
        {% for sweep, (direction, follower) in sweeps.items() %}
            row_number() over (
                partition by step_order.procedure_id, steps.parent_step_id
                order by step_order.step_level {{ direction }}, steps.step_id
            ) as place_{{ sweep }},
        {% endfor %}
        step_order.procedure_id || '/' || coalesce(steps.parent_step_id, 0) as beside_key,
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
        on listed.upstream_step_id = leaders.step_id and followers.beside_key = leaders.beside_key
    where leaders.step_level < followers.step_level
),

{% for sweep, (direction, follower) in sweeps.items() %}
    waits_{{ sweep }} as (
        select
            steps.step_id,
            {{ ids_of('edges.upstream_place_before' if sweep == 'before' else 'edges.place_after') }} as places
        from steps
        left join edges on steps.step_id = edges.{{ follower }}
        group by steps.step_id
    ),

    placed_{{ sweep }} as (
        select
            steps.*,
            waits_{{ sweep }}.places
        from steps
        inner join waits_{{ sweep }} on steps.step_id = waits_{{ sweep }}.step_id
    ),

    sweep_{{ sweep }} as (
        select
            beside_key,
            place_{{ sweep }} as place,
            step_id,
            cast(0 as double) as hours_{{ sweep }},
            {{ list_with('hours') }} as ends
        from placed_{{ sweep }}
        where place_{{ sweep }} = 1

        union all

        select
            sweep_{{ sweep }}.beside_key,
            steps.place_{{ sweep }} as place,
            steps.step_id,
            {%- set longest = largest_at('sweep_' ~ sweep ~ '.ends', 'steps.places') %}
            {{ longest }} as hours_{{ sweep }},
            {{ list_append('sweep_' ~ sweep ~ '.ends', 'steps.hours + ' ~ longest) }} as ends
        from sweep_{{ sweep }}
        inner join placed_{{ sweep }} as steps
            on
                sweep_{{ sweep }}.beside_key = steps.beside_key
                and sweep_{{ sweep }}.place + 1 = steps.place_{{ sweep }}
    ),
{% endfor %}

measured as (
    select
        steps.*,
        sweep_before.hours_before,
        sweep_after.hours_after,
        max(sweep_before.hours_before + steps.hours) over (partition by steps.beside_key) as path_hours
    from steps
    inner join sweep_before on steps.step_id = sweep_before.step_id
    inner join sweep_after on steps.step_id = sweep_after.step_id
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
