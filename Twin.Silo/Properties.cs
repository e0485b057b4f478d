using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Twin.Silo.Tests")]
