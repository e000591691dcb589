import { TableClient, odata } from '@azure/data-tables';
import { start } from '/tmp/hub/azurite.mjs';
const az = await start();
for (let r=0;r<40;r++){
const c = TableClient.fromConnectionString(az.conn('acct1'), 'Hub'+r, { allowInsecureConnection: true, retryOptions:{maxRetries:0} });
await c.createTable();
for (const pk of ["it's",'a b','ünï','日本','a^0b', 'a/b'.replace('/','^0'),'🎉x']) {
  try{ await c.submitTransaction([['upsert',{partitionKey:pk,rowKey:'0',V:pk},'Replace'],['create',{partitionKey:pk,rowKey:'sentinel',V:pk}]]);
   const r = await c.submitTransaction([['upsert',{partitionKey:pk,rowKey:'0',V:pk+'2'},'Replace'],['delete',{partitionKey:pk,rowKey:'sentinel'}]]); 
  }catch(e){ console.log(r,pk,'tx '+e.statusCode+' '+e.response?.bodyAsText?.slice(0,600), e.request?.body?.slice(0,1500))}
}}
az.stop(); process.exit();
