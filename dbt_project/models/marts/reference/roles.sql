with holders as (
    select
        role_id,
        count(user_id) as user_count,
        count(user_id) filter (where is_deactivated) as deactivated_user_count,
        count(team_id) as team_count
    from {{ ref('role_members') }}
    group by role_id
)

select
    roles.role_id,
    roles.role_name,
    coalesce(holders.user_count, 0) as user_count,
    coalesce(holders.deactivated_user_count, 0) as deactivated_user_count,
    coalesce(holders.team_count, 0) as team_count,
    roles.created_at,
    roles.updated_at
from {{ ref('stg_ion__roles') }} as roles
left join holders on roles.role_id = holders.role_id
order by roles.role_id
