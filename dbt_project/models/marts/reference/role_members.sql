with held as (
    select
        role_id,
        'user' as member_type,
        user_id as member_id,
        user_id,
        cast(null as bigint) as team_id
    from {{ ref('stg_ion__user_roles') }}
    union all
    select
        role_id,
        'team' as member_type,
        team_id as member_id,
        null as user_id,
        team_id
    from {{ ref('stg_ion__team_roles') }}
)

select
    held.role_id,
    held.member_type,
    held.member_id,
    roles.role_name,
    coalesce(users.user_name, teams.team_name) as member_name,
    held.user_id,
    held.team_id,
    users.is_deactivated
from held
left join {{ ref('stg_ion__roles') }} as roles on held.role_id = roles.role_id
left join {{ ref('stg_ion__users') }} as users on held.user_id = users.user_id
left join {{ ref('stg_ion__teams') }} as teams on held.team_id = teams.team_id
order by held.role_id, held.member_type, held.member_id
