{#- There is at least one row. A warning: a tenant may have none yet, but then every other test here proves nothing. -#}
{% test not_empty(model) %}
{{ config(severity='warn') }}
select 'no row' as finding
where not exists (select 1 from {{ model }})
{% endtest %}
