using System.Text;
using System.Text.Json;

namespace Twin.Silo.Soc.Reports;

/// <summary>Writes a report, and beside it its signature.</summary>
internal static class ReportFile
{
    /// <summary>
    /// Writes the text, and, when there is a key, <c>FILE.sig</c>: what
    /// <paramref name="sign"/> makes of the file's bytes,
    /// in base64.
    /// </summary>
    public static void Write(string path, string text, Func<byte[], byte[]>? sign)
    {
        var bytes = new UTF8Encoding(false).GetBytes(text);
        File.WriteAllBytes(path, bytes);
        if (sign is not null) File.WriteAllText(path + ".sig", Convert.ToBase64String(sign(bytes)) + "\n");
    }

    public static string Json<T>(T report) => JsonSerializer.Serialize(report, Commands.Cli.Json) + "\n";
}
