{#-
    The staging view of one owner's attributes. ION has fifteen attribute types that differ only in the owner (vendor
    schema: *Attribute), and so do their views.
-#}
{% macro stage_attributes(owner) -%}
with source as (
    select * from {{ source('ion', owner ~ '_attributes') }}
),

renamed as (
    select
        {{ owner }}_id,
        key as attribute_key,
        type as attribute_type,
        value as value_json,
        file_attachment_id,
        {{ is_export_controlled_attribute(owner) }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
{%- endmacro %}
