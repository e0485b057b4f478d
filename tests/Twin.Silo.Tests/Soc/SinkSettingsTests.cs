using Twin.Silo.Soc;

namespace Twin.Silo.Tests.Soc;

public class SinkSettingsTests
{
    private static IReadOnlyList<SinkSetting> Read(string json)
    {
        using var directory = new TestDirectory();
        File.WriteAllText(directory.Sub("sinks.json"), json);
        return SinkSettings.Read(directory.Sub("sinks.json"));
    }

    [Fact]
    public void Three_kinds_are_read()
    {
        var sinks = Read("""
            [{"name":"f","kind":"file","path":"soc.ndjson","max_mib":5,"keep":2},
             {"name":"s","kind":"syslog","format":"cef","url":"tls://soc.example:6514","enterprise":4711},
             {"name":"w","kind":"webhook","format":"ecs","url":"https://soc.example/in","secret_file":"secret"}]
            """);
        Assert.Equal(["f", "s", "w"], sinks.Select(s => s.Name));
        Assert.Equal((5, 2, 4711), (sinks[0].MaxMib, sinks[0].Keep, sinks[1].Enterprise));
    }

    [Theory]
    [InlineData("""[{"name":"f","kind":"file"}]""", "needs 'path'")]
    [InlineData("""[{"name":"f","kind":"mail"}]""", "none of file, syslog, webhook")]
    [InlineData("""[{"name":"f","kind":"file","path":"a","format":"xml"}]""", "none of ocsf, ecs, cef, text")]
    [InlineData("""[{"name":"s","kind":"syslog","url":"http://a:1"}]""", "tls://")]
    [InlineData("""[{"name":"w","kind":"webhook","url":"http://a/","secret_file":"s"}]""", "https://")]
    [InlineData("""[{"name":"w","kind":"webhook","url":"https://a/"}]""", "secret_file")]
    [InlineData("""[{"name":"f","kind":"file","path":"a"},{"name":"f","kind":"file","path":"b"}]""", "twice")]
    [InlineData("""[{"name":"f","kind":"file","path":"a","colour":"red"}]""", "colour")]
    public void What_cannot_be_used_is_named(string json, string said) =>
        Assert.Contains(said, Assert.Throws<SettingException>(() => Read(json)).Message);
}
