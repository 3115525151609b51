{#-
    What ION lets people approve, with the tables of requests and verdicts. Only issues and mBOMs have gates and ask a
    role or a team.
-#}
{% macro approval_kinds() %}
    {{ return([
        {'kind': 'issue', 'subject': 'issue_id', 'requests': 'issue_approval_request', 'verdicts': 'issue_approval',
         'gate': 'issue_approval_gate_type'},
        {'kind': 'mbom', 'subject': 'mbom_id', 'requests': 'mbom_approval_request', 'verdicts': 'mbom_approval',
         'gate': 'gate_type'},
        {'kind': 'procedure', 'subject': 'procedure_id', 'requests': 'review_request', 'verdicts': 'review'},
        {'kind': 'purchase_order', 'subject': 'purchase_order_id', 'requests': 'purchase_order_approval_request',
         'verdicts': 'purchase_order_approval', 'is_never_controlled': true},
        {'kind': 'redline', 'subject': 'redline_id', 'requests': 'redline_approval_request',
         'verdicts': 'redline_approval'},
        {'kind': 'standard_step', 'subject': 'step_id', 'requests': 'step_approval_request',
         'verdicts': 'step_approval'},
    ]) }}
{% endmacro %}
