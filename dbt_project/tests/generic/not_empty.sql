{#- There is at least one row. Severity warn: a tenant may have none yet, but other tests then prove nothing. -#}
{% test not_empty(model) %}
{{ config(severity='warn') }}
select 'no row' as finding
where not exists (select 1 from {{ model }})
{% endtest %}
