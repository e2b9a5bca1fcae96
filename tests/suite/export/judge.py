"""Other people's readers judge what Handover hands out. Run by `export::judges` with the Python that
tests/judges sets up; says what it found on stdout, and fails where a reader objects."""

import glob
import json
import sys
import warnings


def bag(folder):
    import bagit

    read = bagit.Bag(folder)
    read.validate()
    print("version", read.version)


def schema(path, *logs):
    import jsonschema

    with open(path, encoding="utf-8") as file:
        against = json.load(file)
    jsonschema.Draft202012Validator.check_schema(against)
    check = jsonschema.Draft202012Validator(against)
    count = 0
    for log in logs:
        with open(log, encoding="utf-8") as lines:
            for line in lines:
                fault = jsonschema.exceptions.best_match(check.iter_errors(json.loads(line)))
                if fault is not None:
                    sys.exit(f"{log}: {fault.message} at {fault.json_path} of {line[:400]}")
                count += 1
    print("entries", count)


def lineage(folder, log):
    import jsonschema
    import referencing

    def read(path):
        with open(path, encoding="utf-8") as file:
            return json.load(file)

    schemas = {}
    for path in glob.glob(folder + "/*.json"):
        document = read(path)
        schemas[document["$id"]] = document
    resources = [(name, referencing.Resource.from_contents(one)) for name, one in schemas.items()]
    registry = referencing.Registry().with_resources(resources)

    def against(reference):
        return jsonschema.Draft202012Validator(
            {"$ref": reference},
            registry=registry,
            format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
        )

    def facets(value):
        if isinstance(value, dict):
            if "_schemaURL" in value:
                yield value
            for inner in value.values():
                yield from facets(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from facets(inner)

    runs = {}
    with open(log, encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            against(event["schemaURL"]).validate(event)
            for facet in facets(event):
                against(facet["_schemaURL"]).validate(facet)
            runs.setdefault(event["run"]["runId"], []).append(event["eventType"])
    for run, kinds in runs.items():
        if kinds[0] != "START" or len(kinds) > 2 or "START" in kinds[1:]:
            sys.exit(f"{run} went {kinds}")
    print("runs", len(runs), "ended", sum(len(kinds) == 2 for kinds in runs.values()))


def mining(folder):
    warnings.filterwarnings("ignore")
    import pandas
    import pm4py

    objects = pm4py.read_ocel2_json(folder + "/events.ocel.json")
    flat = pm4py.ocel_flattening(objects, "step")
    traces = pm4py.read_xes(folder + "/events.xes")
    table = pandas.read_csv(folder + "/events.csv")
    table["timestamp_utc"] = pandas.to_datetime(table["timestamp_utc"], format="ISO8601")
    table = pm4py.format_dataframe(
        table, case_id="case_id", activity_key="activity", timestamp_key="timestamp_utc"
    )
    start = (table["lifecycle"] == "start").sum()
    print("ocel", len(objects.events), "objects", len(objects.objects), "flat", len(flat))
    print("xes", len(traces), "cases", traces["case:concept:name"].nunique())
    print("csv", len(table), "cases", table["case:concept:name"].nunique(), "starts", start)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
