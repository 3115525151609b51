{#- Why an attempt of int_quality__unit_attempts was not first pass, the first reason that applies; null if it was. -#}
{% macro not_first_pass_because(attempt) -%}
    case
        when {{ attempt }}.is_first_pass then null
        when {{ attempt }}.completed_so_far > case when {{ attempt }}.outcome = 'COMPLETE' then 1 else 0 end
            then 'repeat_of_passed_step'
        when {{ attempt }}.unit_attempt_number > 1 then 'retry'
        when {{ attempt }}.outcome = 'FAILED' then 'failed'
        when {{ attempt }}.failed_validation_count > 0 then 'failed_validation'
        when {{ attempt }}.redline_count > 0 then 'redline'
        else 'issue'
    end
{%- endmacro %}
