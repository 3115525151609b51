-- Links of issues, counted by kind in ION's rows.
{%- set fields = {
    'found_on run_step': 'run_step_id', 'must_close_by run_step': 'must_close_by_run_step_id',
    'found_on purchase_order_line': 'purchase_order_line_id', 'fixed_by part_inventory': 'fix_part_inventory_id'
} %}

with expected as (
    {% for link, column in fields.items() %}
        select
            '{{ link }}' as link,
            count({{ column }}) as row_count
        from {{ source('ion', 'issues') }}
        union all
    {% endfor %}
    select
        'related_issue issue' as link,
        count(*) as row_count
    from {{ source('ion', 'issue_relations') }}
    union all
    select
        'affects part_inventory' as link,
        count(*) as row_count
    from {{ ref('issue_units') }}
    union all
    select
        'redlined_by redline' as link,
        count(issue_id) as row_count
    from {{ source('ion', 'redlines') }}
    union all
    select
        'answered_by further_action' as link,
        count(*) as row_count
    from {{ source('ion_further_actions', '_ion_further_action_issues') }}
    where further_action_id is not null and issue_id is not null
),

found as (
    select
        link_type || ' ' || linked_type as link,
        count(*) as row_count
    from {{ ref('issue_links') }}
    group by link_type, linked_type
)

select
    coalesce(expected.link, found.link) as link,
    expected.row_count as expected_rows,
    found.row_count as found_rows
from expected
full outer join found on expected.link = found.link
where expected.row_count is null or expected.row_count <> coalesce(found.row_count, 0)
