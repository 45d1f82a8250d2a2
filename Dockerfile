# The command with what it runs on: contract, dbt project, Python and DuckDB.
#
#   docker build -t medallion .
#   docker run --rm -v lake:/lake medallion run --for 60s
#   docker run --rm -v lake:/lake -e MEDALLION_HOST=0.0.0.0 -p 127.0.0.1:8080:8080 medallion
#   docker run --rm -v state:/state -e AWS_REGION medallion bronze --lake s3://BUCKET --state /state --once
#
# Untried: this file was written where no container engine runs. hadolint reads it in the tests, and the
# steps of its first stage are those of `make build`.

FROM swift:6.3-bookworm AS build
# Not pinned: Debian removes superseded versions.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates make python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
# Paths are part of the Python environment, so it is built where it will be.
WORKDIR /opt/medallion
COPY Package.swift Makefile pyproject.toml uv.lock ./
COPY scripts scripts
COPY Sources Sources
COPY Tests Tests
COPY contract contract
COPY dbt dbt
RUN make build \
    && cp --remove-destination "$(readlink bin/medallion)" bin/medallion \
    && .deps/uv/bin/uv sync --frozen --no-dev --quiet

FROM swift:6.3-bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates libisal2 libjs-chart.js libpython3.11 libsqlite3-0 libxxhash0 libzstd1 python3 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /lake --create-home medallion \
    && install --directory --owner medallion /state
COPY --from=build /opt/medallion/bin /opt/medallion/bin
COPY --from=build /opt/medallion/.venv /opt/medallion/.venv
COPY --from=build /opt/medallion/.deps/lib /opt/medallion/.deps/lib
COPY --from=build /opt/medallion/.deps/web /opt/medallion/.deps/web
COPY --from=build /opt/medallion/contract /opt/medallion/contract
COPY --from=build /opt/medallion/dbt /opt/medallion/dbt
USER 10001
WORKDIR /lake
ENV MEDALLION_LAKE=/lake MEDALLION_HOME=/opt/medallion
VOLUME ["/lake", "/state"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/medallion/bin/medallion"]
CMD ["run"]
