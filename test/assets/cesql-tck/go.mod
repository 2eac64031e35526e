module signalbox.dev/test/assets/cesql-tck

go 1.26.0

require github.com/cloudevents/sdk-go/sql/v2 v2.16.2
