using System.Text;
using Twin.Grains;
using Twin.Hardware;
using Twin.Ingest.Profiles;
using Twin.Ingest.Readers;

namespace Twin.Ingest.Tests;

/// <summary>Damaged input gives rejects or a <see cref="FormatError"/>, never anything else.</summary>
public sealed class FuzzTests
{
    private static readonly string[] Seeds =
    [
        "meter,start,interval_minutes,import_wh,export_wh,quality\nm1,2026-01-01T00:00:00Z,30,100,5,actual\nm1,2026"
            + "-01-01T00:30:00+02:00,30,1,,estimated\n",
        "timestamp_local,X2,X4\n2009-03-01T00:00:00,0.042,0.289\n2009-03-01T00:30:00,0.05,\"0.051\"\n",
        ",Date,Hour,Index(Wh),Consumption(Wh),Day,Weekend,Week,Month,Temperature,Humidity,Pressure,Wind speed,Wind "
            + "direction,Rainfall,Snowfall,"
            + "Snow depth,Irradiation,Minutes\n0,25/10/2020,02:45,806469,56,1,0,23,6,11.69,79.32,1015.13,3.67,71.66"
            + ",0.0,0.0,0.0,0.0,0\n",
        "[{\"time\":\"2023-01-01T00:00:00+0000\"},{\"time\":\"2023-01-01T00:10:00+0000\",\"value\":4.5e1},{\"time\""
            + ":\"2023-01-01T00:20:00+0000\",\"value\":null}]",
        "{\"meter\":\"m\",\"start\":\"2026-01-01T23:30:00Z\",\"interval_minutes\":30,\"values\":[1,2,null,4]}\n{\"m"
            + "eter\":\"m\",\"at\":\"2026-01-01T12:00:00Z\",\"code\":\"7\"}\n",
    ];

    private static byte[] Damage(byte[] bytes, SplitMix64 random)
    {
        var list = bytes.ToList();
        var edits = 1 + random.Next(6);
        for (var e = 0; e < edits && list.Count > 0; e++)
        {
            var at = random.Next(list.Count);
            switch (random.Next(5))
            {
                case 0: list[at] = (byte)random.Next(256); break;
                case 1: list.RemoveAt(at); break;
                case 2: list.Insert(at, ",\"\n\r-.:{}[]e0T\\"u8.ToArray()[random.Next(15)]); break;
                case 3: list.InsertRange(at, list.GetRange(at, Math.Min(random.Next(40), list.Count - at))); break;
                default: list.RemoveRange(at, Math.Min(random.Next(30), list.Count - at)); break;
            }
        }
        return [.. list];
    }

    [Theory]
    [InlineData(0, "f.csv")]
    [InlineData(1, "f.csv")]
    [InlineData(2, "f.csv")]
    [InlineData(3, "building005_meter002.json")]
    [InlineData(4, "f.ndjson")]
    public void Files(int seedText, string name)
    {
        for (ulong seed = 1; seed <= 250; seed++)
        {
            var bytes = Damage(Encoding.UTF8.GetBytes(Seeds[seedText]), new SplitMix64(seed));
            if (seed % 5 == 0) bytes = Damage(Feeds.Gzip(bytes), new SplitMix64(seed + 1000));
            var error = Record.Exception(() => Feeds.WithFiles([(name, bytes)], static p => Feeds.Collect(p)));
            Assert.True(error is null or FormatError, $"seed {seed}, text {seedText}: {error}");
        }
    }

    [Fact]
    public void Observations()
    {
        for (ulong seed = 1; seed <= 20_000; seed++)
        {
            var random = new SplitMix64(seed);
            var line = Damage(Encoding.UTF8.GetBytes(Seeds[4].Split('\n')[(int)(seed % 2)]), random);
            var batch = new ObservationBatch(new InputBatch("fuzz"), new AnnouncedMeters());
            var problem = Record.Exception(() =>
            {
                var error = batch.Add(line);
                Assert.Equal(error is not null, batch.Batch.Count == 0);
            });
            Assert.True(problem is null, $"seed {seed}: {problem}");
        }
    }

    [Fact]
    public void Profiles()
    {
        var text = Encoding.UTF8.GetBytes(ProfileWriter.ToJson(ProfileLibrary.Get("belgium")));
        for (ulong seed = 1; seed <= 2_000; seed++)
        {
            var error = Record.Exception(() => ProfileJson.Read("p", Damage(text, new SplitMix64(seed))));
            Assert.True(error is null or FormatError, $"seed {seed}: {error}");
        }
    }
}
