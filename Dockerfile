# One image for the Airflow services and, with the sandbox's extras, for the local AWS.
ARG AIRFLOW=3.3.2
ARG PYTHON=3.12
FROM apache/airflow:${AIRFLOW}-python${PYTHON} AS native
USER root
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev libssl-dev
USER airflow
COPY --chown=airflow:0 native /tmp/native
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /tmp/wheels /tmp/native

FROM apache/airflow:${AIRFLOW}-python${PYTHON} AS airflow
ARG AIRFLOW
ARG PYTHON
COPY --chown=airflow:0 requirements.txt /tmp/requirements.txt
# The constraints of the image's own Airflow, so that nothing that it ships is moved.
RUN grep -v '^--constraint' /tmp/requirements.txt > /tmp/unpinned.txt \
 && pip install --no-cache-dir -r /tmp/unpinned.txt \
    --constraint "https://raw.githubusercontent.com/apache/airflow/constraints-${AIRFLOW}/constraints-${PYTHON}.txt"
COPY --from=native --chown=airflow:0 /tmp/wheels /tmp/wheels
RUN pip install --no-cache-dir --no-index --no-deps /tmp/wheels/*.whl
COPY --chown=airflow:0 dags /opt/airflow/dags
COPY --chown=airflow:0 plugins /opt/airflow/plugins
COPY --chown=airflow:0 include /opt/airflow/include

FROM python:${PYTHON}-slim AS sandbox
RUN useradd --create-home sandbox && mkdir /data && chown sandbox /data
WORKDIR /sandbox
COPY requirements.lock ./
RUN pip install --no-cache-dir uv && uv pip install --system --no-cache -r requirements.lock
COPY plugins ./plugins
COPY include ./include
COPY sandbox ./sandbox
COPY examples ./examples
COPY infra ./infra
COPY tools ./tools
ENV PYTHONPATH=/sandbox:/sandbox/plugins PYTHONUNBUFFERED=1
USER sandbox
EXPOSE 4566
CMD ["python", "-m", "sandbox", "serve", "--host", "0.0.0.0", "--port", "4566", "--data", "/data"]
