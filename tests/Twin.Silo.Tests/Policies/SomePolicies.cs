using Twin.Grains.Policies;

namespace Twin.Silo.Tests.Policies;

/// <summary>Policies that differ from the one that ships in what they say.</summary>
internal static class SomePolicies
{
    /// <summary>Whatever was found: cut off at once, and switched off if persons let it.</summary>
    public static string Careless => PolicyReader.CarelessText;

    /// <summary>Writes everything down and does nothing.</summary>
    public static string LogOnly { get; } = With("log only", """
          - rule: written down
            open: false
        """);

    /// <summary>As the one that ships, but hardly a command may go out on a feeder.</summary>
    public static string Tight { get; } = Without(PolicyReader.DefaultText, "examples:")
        .Replace("policy: default", "policy: tight", StringComparison.Ordinal)
        .Replace("feeder: {commands: [10, 40, 200]", "feeder: {commands: [1, 1, 1]", StringComparison.Ordinal);

    private static string With(string name, string rules)
    {
        var (text, from) = (Without(PolicyReader.DefaultText, "examples:"), "\nrules:\n");
        var (start, end) = (text.IndexOf(from, StringComparison.Ordinal) + from.Length,
            text.IndexOf("\nguards:", StringComparison.Ordinal));
        return (text[..start] + rules + "\n" + text[end..]).Replace("policy: default", $"policy: {name}",
            StringComparison.Ordinal);
    }

    private static string Without(string text, string from) =>
        text[..text.IndexOf("\n" + from, StringComparison.Ordinal)]
        + "\n";
}
