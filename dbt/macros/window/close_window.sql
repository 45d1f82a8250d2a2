{#-
    on-run-end: moves the start of a window up to its end. The live models' start moves if every one
    of them succeeded in this very run, that of the rest if every model of the project did. After
    anything less (a selection, a failure, a skip) the next run reads the same window again, grown by
    what has arrived; that is safe because every model gives the same result over a window read twice.
-#}
{% macro close_window(results) %}
    {%- if execute and flags.WHICH in ['run', 'build'] and not flags.EMPTY and not flags.SAMPLE -%}
        {%- set succeeded = [] -%}
        {%- for result in results if result.status == 'success' -%}
            {%- do succeeded.append(result.node.unique_id) -%}
        {%- endfor -%}
        {%- set behind = {'live': [], 'rest': []} -%}
        {%- for node in graph.nodes.values()
            if node.resource_type == 'model' and node.package_name == project_name
            and node.config.materialized != 'ephemeral' and node.unique_id not in succeeded -%}
            {%- do behind['live' if 'live' in node.tags else 'rest'].append(node.unique_id) -%}
        {%- endfor -%}
        {%- set window = source('raw', 'transform_window').render() -%}
        {%- if not behind.live -%}
            {#- A new start that was asked for has been made, by the rest too or not yet by it. -#}
            {%- set rest_lo = transform_window().rest_lo if behind.rest else 'hi' -%}
            {%- set statements = [
                'update ' ~ window ~ ' set lo = hi, rest_lo = ' ~ rest_lo,
                'delete from ' ~ source('raw', 'transform_restarts').render(),
                'delete from ' ~ source('raw', 'transform_prior_winners').render(),
            ] -%}
            {#- Rows that were displaced are of no further use once every model has seen them go. -#}
            {%- if not behind.rest -%}
                {%- do statements.append('delete from ' ~ source('raw', 'transform_displaced').render()) -%}
            {%- endif -%}
            {%- do run_query(in_one_transaction(statements | join('; '))) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
