{#-
    on-run-end: moves the start of the window up to its end, but only if every model of the project
    succeeded in this very run. After anything less (a selection, a failure, a skip) the next run
    reads the same window again, grown by what has arrived; that is safe because every model gives
    the same result over a window read twice.
-#}
{% macro close_window(results) %}
    {%- if execute and flags.WHICH in ['run', 'build'] and not flags.EMPTY and not flags.SAMPLE -%}
        {%- set succeeded = [] -%}
        {%- for result in results if result.status == 'success' -%}
            {%- do succeeded.append(result.node.unique_id) -%}
        {%- endfor -%}
        {%- set behind = [] -%}
        {%- for node in graph.nodes.values()
            if node.resource_type == 'model' and node.package_name == project_name
            and node.config.materialized != 'ephemeral' and node.unique_id not in succeeded -%}
            {%- do behind.append(node.unique_id) -%}
        {%- endfor -%}
        {%- if not behind -%}
            {%- do run_query(in_one_transaction(
                'update ' ~ source('raw', 'transform_window').render() ~ ' set lo = hi; '
                ~ 'delete from ' ~ source('raw', 'transform_prior_winners').render()
            )) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
