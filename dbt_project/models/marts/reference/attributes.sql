with all_owners as (
    {% for owner in attribute_owners() %}
        select
            '{{ owner }}' as owner_type,
            {{ owner }}_id as owner_id,
            attribute_key,
            attribute_type,
            value_json,
            file_attachment_id,
            is_export_controlled,
            created_at,
            updated_at
        from {{ ref('stg_ion__' ~ owner ~ '_attributes') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

texts as (
    select
        *,
        {{ json_text('value_json') }} as value_text
    from all_owners
)

select
    owner_type,
    owner_id,
    attribute_key,
    attribute_type,
    value_text,
    case when attribute_type = 'NUMBER' then {{ number_of_text('value_text') }} end as value_number,
    case when attribute_type = 'BOOLEAN' then try_cast(value_text as boolean) end as value_boolean,
    case when attribute_type = 'DATETIME' then try_cast(value_text as {{ type_instant() }}) end as value_at,
    {{ json_list('value_json') }} as value_list,
    file_attachment_id,
    created_at,
    updated_at,
    is_export_controlled
from texts
order by owner_type, owner_id, attribute_key
