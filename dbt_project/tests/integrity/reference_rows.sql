-- No ION row is lost or duplicated in a mart with one row per record.
{%- set marts = {
    'parts': 'parts', 'part_inventories': 'part_inventories', 'locations': 'locations', 'suppliers': 'suppliers',
    'users': 'users', 'procedures': 'procedures', 'steps': 'procedure_steps', 'teams': 'teams', 'roles': 'roles',
    'team_users': 'team_members'
} %}

with expected as (
    {% for entity, mart in marts.items() %}
        select
            '{{ mart }}' as mart,
            count(*) as row_count
        from {{ source('ion', entity) }}
        union all
    {% endfor %}
    {% for owner in attribute_owners() %}
        select
            'attributes of {{ owner }}' as mart,
            count(*) as row_count
        from {{ source('ion', owner ~ '_attributes') }}
        union all
    {% endfor %}
    select
        'roles of users' as mart,
        count(*) as row_count
    from {{ source('ion', 'user_roles') }}
    union all
    select
        'roles of teams' as mart,
        count(*) as row_count
    from {{ source('ion', 'team_roles') }}
    union all
    select
        'roots of abom_hierarchy' as mart,
        count(*) as row_count
    from {{ source('ion', 'part_inventories') }}
),

found as (
    {% for mart in marts.values() %}
        select
            '{{ mart }}' as mart,
            count(*) as row_count
        from {{ ref(mart) }}
        union all
    {% endfor %}
    select
        'attributes of ' || owner_type as mart,
        count(*) as row_count
    from {{ ref('attributes') }}
    group by owner_type
    union all
    select
        'roles of ' || member_type || 's' as mart,
        count(*) as row_count
    from {{ ref('role_members') }}
    group by member_type
    union all
    select
        'roots of abom_hierarchy' as mart,
        count(*) as row_count
    from {{ ref('abom_hierarchy') }}
    where depth = 0
)

select
    coalesce(expected.mart, found.mart) as mart,
    expected.row_count as expected_rows,
    found.row_count as found_rows
from expected
full outer join found on expected.mart = found.mart
where coalesce(expected.row_count, -1) <> coalesce(found.row_count, 0)
